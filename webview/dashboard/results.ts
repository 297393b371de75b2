import type { PairedResults, RunHead } from '../../src/protocol/dashboard';
import { type StudentDifference, type StudentRow, columns as shownColumns } from '../../src/results';
import { headingOf } from '../../src/results-table';
import { stageNames, stageTitles, strongestBaseline } from '../../src/stages';
import { comparisonHeading, startText, studentTitle } from '../../src/start';
import { minus } from '../../src/words';
import { element, setAttributes, table } from '../common/dom';
import { visibleNodes } from '../common/visible';
import { withSign } from './metrics';
import { letterOf, lineCount, swatch } from './theme';

interface ResultRow {
  run: number;
  result: StudentRow;
  pair(against: PairedResults['against']): PairedResults | undefined;
}

interface TableColumn {
  heading: string;
  title: string;
  /**
   * Where the page is too narrow, columns with the highest rank are dropped first; those without a rank always stay.
   */
  rank?: number;
  cell(row: ResultRow): HTMLElement;
}

/** The students on the test problems: rows by stage, and within a stage by run. */
export function resultsTable(heads: readonly RunHead[], pairs: readonly PairedResults[]): Node {
  const several = heads.length > 1;
  const byStage = stageNames
    .map((stage) => heads.flatMap((head, run) => rowsOf(head, run, stage, pairs)))
    .filter((rows) => rows.length > 0);
  if (byStage.length === 0) return element('p', { class: 'dim' }, 'No student has been tested yet.');
  const columns = columnsOf(heads, byStage.flat());
  const rank = (column: TableColumn) => (column.rank === undefined ? undefined : `rank-${column.rank}`);
  return table(
    { class: `results${several ? ' several' : ''}` },
    'Results on the test problems',
    [
      element('th', { scope: 'col' }, 'Student'),
      several ? element('th', { scope: 'col' }, 'Run') : null,
      ...columns.map((column) =>
        element('th', { scope: 'col', title: column.title, class: rank(column) }, column.heading),
      ),
    ],
    ...byStage.map((rows) => {
      const titles = rows.map(({ run, result }) => studentTitle(result.stage, heads[run].start));
      const alike = new Set(titles).size === 1;
      return element(
        'tbody',
        {},
        ...rows.map((row, i) =>
          element(
            'tr',
            {},
            i === 0
              ? element(
                  'th',
                  { scope: 'rowgroup', rowspan: rows.length, title: row.result.checkpoint },
                  ...visibleNodes(alike ? titles[0] : 'Start'),
                  rows.every(({ run, result }) => heads[run].unchanged.includes(result.stage))
                    ? element(
                        'span',
                        { class: 'dim', title: 'No later checkpoint did better on the validation rows' },
                        ' unchanged',
                      )
                    : null,
                )
              : null,
            several ? runCell(heads[row.run], row.run, alike) : null,
            ...columns.map((column) => {
              const cell = column.cell(row);
              const of = rank(column);
              if (of) cell.classList.add(of);
              return cell;
            }),
          ),
        ),
      );
    }),
  );
}

function rowsOf(head: RunHead, run: number, stage: StudentRow['stage'], pairs: readonly PairedResults[]): ResultRow[] {
  return head.results
    .filter((result) => result.stage === stage)
    .map((result) => ({
      run,
      result,
      pair: (against) => pairs.find((one) => one.run === head.folder && one.stage === stage && one.against === against),
    }));
}

function runCell({ id, start }: RunHead, run: number, alike: boolean): HTMLElement {
  return element(
    'th',
    { scope: 'row', class: 'of-run', title: id },
    swatch(run),
    element('span', { class: 'letter' }, letterOf(run)),
    alike ? null : element('span', { class: 'dim foreign' }, ...visibleNodes(` ${startText(start)}`)),
  );
}

const paired =
  'on the same problems, with its 95 % interval ' + '(paired bootstrap over the problems; other seeds are not covered)';

/** Which differences are dropped first where the page is too narrow, by figure and by compared student. */
const ranks = (several: boolean) => ({
  accuracy: { base: several ? 1 : 0, baseline: 2, first: undefined },
  tokens: { base: several ? 4 : 1, baseline: 5, first: 2 },
});

/** The columns of the results, each followed by its differences. */
function columnsOf(heads: readonly RunHead[], rows: readonly ResultRow[]): TableColumn[] {
  const several = heads.length > 1;
  const results = rows.map(({ result }) => result);
  const ends = results.flatMap(({ accuracyInterval }) => accuracyInterval);
  const span = { min: Math.min(...ends), max: Math.max(...ends) };
  const others = comparedWith(heads);
  return shownColumns.flatMap((column) => {
    const { name, about, rank, difference, text } = column;
    const shown: TableColumn = {
      heading: headingOf(column, results),
      title: about,
      rank,
      cell: ({ result, run }) =>
        element(
          'td',
          { class: name === 'accuracy' ? 'number strong' : 'number' },
          name === 'accuracyInterval' ? intervalBar(result, span, several ? run : null) : null,
          text(result),
        ),
    };
    if (!difference) return [shown];
    const { of } = difference.paired;
    const differences = others.map(
      ({ against, heading, whom }): TableColumn => ({
        heading,
        title: `Difference in ${of === 'tokens' ? 'mean tokens' : of} from ${whom}, ${paired}`,
        rank: ranks(several)[of][against],
        cell: ({ pair }) => differenceCell(pair(against), difference),
      }),
    );
    return [shown, ...differences];
  });
}

interface Comparison {
  against: PairedResults['against'];
  heading: string;
  whom: string;
}

function comparedWith(heads: readonly RunHead[]): Comparison[] {
  const baselines = heads.flatMap(({ results }) => strongestBaseline(results) ?? []);
  const strongest = [...new Set(baselines.map(({ stage }) => stageTitles[stage]))].join(', ');
  const others: (Comparison | false)[] = [
    {
      against: 'base',
      heading: comparisonHeading(heads.find(({ start }) => start)?.start),
      whom: 'the student that the run began with',
    },
    baselines.length > 0 && {
      against: 'baseline',
      heading: 'vs strongest baseline',
      whom: `the run's strongest baseline (${strongest})`,
    },
    heads.length > 1 && { against: 'first', heading: 'vs first run', whom: 'the same stage of the first run' },
  ];
  return others.filter((other) => other !== false);
}

/** Called better or worse only if the interval excludes 0. */
function differenceCell(
  pair: PairedResults | undefined,
  { paired: { of, unit, text }, better }: StudentDifference,
): HTMLElement {
  if (!pair) return element('td', {});
  const [value, interval] = [pair[of], pair[`${of}Interval`]];
  const certain = interval[0] > 0 || interval[1] < 0;
  const verdict = value * better > 0 ? 'better' : 'worse';
  const tone = verdict === 'better' ? 'good' : 'bad';
  const arrow = value > 0 ? '▲' : '▼';
  const [low, high] = interval.map((end) => minus(text(end)));
  return element(
    'td',
    {
      class: `number ${certain ? tone : ''}`,
      title:
        `${withSign(text(value))} ${unit} on ${pair.n} problems that both answered; 95 % interval ${low} to ${high}` +
        (certain ? `: ${verdict}` : ': may be chance'),
    },
    certain ? element('span', { class: 'spoken' }, `${verdict} `) : null,
    `${certain ? `${arrow} ` : ''}${withSign(text(value))} `,
    element('span', { class: 'dim' }, `[${low}, ${high}]`),
  );
}

/** The position of the accuracy between the smallest and the largest of the table. */
function intervalBar(
  { accuracy, accuracyInterval: interval }: StudentRow,
  span: { min: number; max: number },
  run: number | null,
): Node {
  const width = 96;
  const at = (value: number) => 2 + ((width - 4) * (value - span.min)) / (span.max - span.min || 1);
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  setAttributes(svg, {
    class: `interval${run === null ? '' : ` line-${run % lineCount}`}`,
    width,
    height: 10,
    'aria-hidden': 'true',
  });
  const shape = (name: string, attributes: Record<string, string | number>) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    setAttributes(made, attributes);
    svg.append(made);
  };
  shape('path', { d: `M${at(interval[0])} 5H${at(interval[1])}`, stroke: 'currentColor', 'stroke-width': 2 });
  shape('circle', { cx: at(accuracy), cy: 5, r: 3.2, fill: 'currentColor' });
  return svg;
}
