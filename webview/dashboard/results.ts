import type { Pair, Result, RunHead } from '../../src/protocol/dashboard';
import { stageNames, stageTitles, strongestBaseline } from '../../src/stages';
import { startText, studentTitle, versusStart } from '../../src/start';
import { clock } from '../../src/words';
import { element, setAttributes } from '../common/dom';
import { visibleNodes } from '../common/visible';
import { minus, valueText, withSign } from './metrics';
import { letterOf, lineCount, swatch } from './theme';

interface Row {
  run: number;
  result: Result;
  pair(against: Pair['against']): Pair | undefined;
}

interface Column {
  heading: string;
  title: string;
  /** Where the page is too narrow for all columns, those of the highest rank go first; without one it always stays. */
  rank?: number;
  cell(row: Row): HTMLElement;
}

/** The students on the test problems: a row a stage, and in each a row a run. */
export function resultsTable(heads: readonly RunHead[], pairs: readonly Pair[]): Node {
  const several = heads.length > 1;
  const byStage = stageNames
    .map((stage) => heads.flatMap((head, run) => rowsOf(head, run, stage, pairs)))
    .filter((rows) => rows.length > 0);
  if (byStage.length === 0) return element('p', { class: 'dim' }, 'No student has been tested yet.');
  const columns = columnsOf(heads, byStage.flat());
  const rank = (column: Column) => (column.rank === undefined ? undefined : `rank-${column.rank}`);
  return element(
    'table',
    { class: `results${several ? ' several' : ''}` },
    element('caption', { class: 'spoken' }, 'Results on the test problems'),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('th', { scope: 'col' }, 'Student'),
        several ? element('th', { scope: 'col' }, 'Run') : null,
        ...columns.map((column) =>
          element('th', { scope: 'col', title: column.title, class: rank(column) }, column.heading),
        ),
      ),
    ),
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
                  keepsBefore(rows, heads)
                    ? element(
                        'span',
                        { class: 'dim', title: 'No rewrite helped: the student before it was kept' },
                        ' kept',
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

function rowsOf(head: RunHead, run: number, stage: Result['stage'], pairs: readonly Pair[]): Row[] {
  return head.results
    .filter((result) => result.stage === stage)
    .map((result) => ({
      run,
      result,
      pair: (against) => pairs.find((one) => one.run === head.folder && one.stage === stage && one.against === against),
    }));
}

/** Whether each run's stage ended with the very student that it began with: the same answers, in number and length. */
function keepsBefore(rows: readonly Row[], heads: readonly RunHead[]): boolean {
  return rows.every(({ run, result }) => {
    const { results } = heads[run];
    const before = results[results.indexOf(result) - 1];
    const alike = before?.accuracy === result.accuracy && before.meanTokens === result.meanTokens;
    return result.stage === 'rewrite' && alike;
  });
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

const paired = 'on the same problems, with its 95 % interval';

function columnsOf(heads: readonly RunHead[], rows: readonly Row[]): Column[] {
  const several = heads.length > 1;
  const versus = versusStart(heads.find(({ start }) => start)?.start);
  const baselines = heads.flatMap(({ results }) => strongestBaseline(results) ?? []);
  const strongest = [...new Set(baselines.map(({ stage }) => stageTitles[stage]))].join(', ');
  const span = {
    min: Math.min(...rows.map(({ result }) => result.interval[0])),
    max: Math.max(...rows.map(({ result }) => result.interval[1])),
  };
  const number = (text: string) => element('td', { class: 'number' }, text);
  const columns: (Column | false)[] = [
    {
      heading: 'Accuracy',
      title: 'Share of the test problems with the right answer',
      cell: ({ result }) => element('td', { class: 'number strong' }, valueText(result.accuracy, 'share')),
    },
    {
      heading: '95 % interval',
      title: 'Wilson score interval of the accuracy',
      rank: 3,
      cell: ({ result, run }) =>
        element(
          'td',
          { class: 'number' },
          intervalBar(result, span, several ? run : null),
          intervalText(result.interval, (end) => (100 * end).toFixed(1)),
        ),
    },
    {
      heading: versus,
      title:
        `Difference in accuracy from the student that the run began with, ${paired} (paired ` +
        'bootstrap over the problems; it does not say what other seeds would give)',
      ...(several && { rank: 1 }),
      cell: ({ pair }) => points(pair('base')),
    },
    baselines.length > 0 && {
      heading: 'vs strongest baseline',
      title: `Difference in accuracy from the run's strongest baseline (${strongest}), ${paired}`,
      rank: 2,
      cell: ({ pair }) => points(pair('baseline')),
    },
    several && {
      heading: 'vs first run',
      title: `Difference in accuracy from the same stage of the first run, ${paired}`,
      cell: ({ pair }) => points(pair('first')),
    },
    {
      heading: 'Tokens',
      title: 'Mean tokens of a completion',
      cell: ({ result }) => number(valueText(result.meanTokens, 'tokens')),
    },
    {
      heading: versus,
      title: `Difference in mean tokens from the student that the run began with, ${paired}`,
      rank: several ? 4 : 1,
      cell: ({ pair }) => tokens(pair('base')),
    },
    baselines.length > 0 && {
      heading: 'vs strongest baseline',
      title: `Difference in mean tokens from the run's strongest baseline (${strongest}), ${paired}`,
      rank: 5,
      cell: ({ pair }) => tokens(pair('baseline')),
    },
    several && {
      heading: 'vs first run',
      title: `Difference in mean tokens from the same stage of the first run, ${paired}`,
      rank: 2,
      cell: ({ pair }) => tokens(pair('first')),
    },
    {
      heading: 'Cut off',
      title: 'Share of completions that were cut off by the token budget',
      rank: 4,
      cell: ({ result }) => number(valueText(result.truncated, 'share')),
    },
    {
      heading: 'Training',
      title: 'Time of training of this stage',
      rank: 4,
      cell: ({ result }) => number(result.seconds > 0 ? clock(result.seconds) : ''),
    },
    {
      heading: 'Problems',
      title: 'Problems tested',
      rank: 6,
      cell: ({ result }) => number(String(result.n)),
    },
  ];
  return columns.filter((column) => column !== false);
}

function points(pair: Pair | undefined): HTMLElement {
  const write = (value: number) => (100 * value).toFixed(1);
  const { accuracy: value, accuracyInterval: interval } = pair ?? {};
  return difference(pair?.n, value, interval, { write, unit: 'points', better: 1 });
}

function tokens(pair: Pair | undefined): HTMLElement {
  const { tokens: value, tokensInterval: interval } = pair ?? {};
  return difference(pair?.n, value, interval, { write: (one) => one.toFixed(0), unit: 'tokens', better: -1 });
}

/** Said to be better or worse only when its interval leaves out 0. */
function difference(
  problems: number | undefined,
  value: number | undefined,
  interval: [number, number] | undefined,
  { write, unit, better }: { write(value: number): string; unit: string; better: 1 | -1 },
): HTMLElement {
  if (problems === undefined || value === undefined || !interval) return element('td', {});
  const certain = interval[0] > 0 || interval[1] < 0;
  const verdict = value * better > 0 ? 'better' : 'worse';
  const tone = verdict === 'better' ? 'good' : 'bad';
  const arrow = value > 0 ? '▲' : '▼';
  return element(
    'td',
    {
      class: `number ${certain ? tone : ''}`,
      title:
        `${withSign(write(value))} ${unit} on the ${problems} problems that both ` +
        `answered; 95 % interval ${minus(write(interval[0]))} to ` +
        `${minus(write(interval[1]))}${certain ? `: ${verdict}` : ': may be chance'}`,
    },
    certain ? element('span', { class: 'spoken' }, `${verdict} `) : null,
    `${certain ? `${arrow} ` : ''}${withSign(write(value))} `,
    element('span', { class: 'dim' }, intervalText(interval, write)),
  );
}

function intervalText(interval: [number, number], write: (value: number) => string): string {
  return `[${minus(write(interval[0]))}, ${minus(write(interval[1]))}]`;
}

/** Where the accuracy lies between the least and the greatest of the table. */
function intervalBar({ accuracy, interval }: Result, span: { min: number; max: number }, run: number | null): Node {
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
