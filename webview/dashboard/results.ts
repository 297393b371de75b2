import type { Pair, Result, RunHead } from '../../src/protocol/dashboard';
import { stageNames } from '../../src/stages';
import { startText, studentTitle, versusStart } from '../../src/start';
import { element, setAttributes } from '../common/dom';
import { visibleNodes } from '../common/visible';
import { duration, minus, signed, valueText } from './metrics';
import { letterOf, lineCount, swatch } from './theme';

interface Row {
  run: number;
  result: Result;
}

/** The students on the test problems: a row a stage, and in each a row a run. */
export function resultsTable(heads: readonly RunHead[], pairs: readonly Pair[]): Node {
  const several = heads.length > 1;
  const byStage = stageNames
    .map((stage) =>
      heads.flatMap(({ results }, run) =>
        results.filter((row) => row.stage === stage).map((result): Row => ({ run, result })),
      ),
    )
    .filter((rows) => rows.length > 0);
  if (byStage.length === 0) return element('p', { class: 'dim' }, 'No student has been tested yet.');
  const all = byStage.flat();
  const span = {
    min: Math.min(...all.map(({ result }) => result.interval[0])),
    max: Math.max(...all.map(({ result }) => result.interval[1])),
  };
  const versus = versusStart(heads.find(({ start }) => start)?.start);
  const heading = (text: string, title: string) => element('th', { scope: 'col', title }, text);
  return element(
    'table',
    { class: 'results' },
    element('caption', { class: 'spoken' }, 'Results on the test problems'),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('th', { scope: 'col' }, 'Student'),
        several ? element('th', { scope: 'col' }, 'Run') : null,
        heading('Accuracy', 'Share of the test problems with the right answer'),
        heading('95 % interval', 'Wilson score interval of the accuracy'),
        heading(
          versus,
          'Difference in accuracy from the student that the run began with, on the same problems, with 95 % interval (paired bootstrap over the problems; it does not say what other seeds would give)',
        ),
        several
          ? heading(
              'vs first run',
              'Difference in accuracy from the same stage of the first run, on the problems that both were tested on',
            )
          : null,
        heading('Tokens', 'Mean tokens of a completion'),
        heading(
          versus,
          'Difference in mean tokens from the student that the run began with, on the same problems, with 95 % interval',
        ),
        several
          ? heading(
              'vs first run',
              'Difference in mean tokens from the same stage of the first run, on the same problems',
            )
          : null,
        heading('Cut off', 'Share of completions that were cut off by the token budget'),
        heading('Training', 'Time of training of this stage'),
        heading('Problems', 'Problems tested'),
      ),
    ),
    ...byStage.map((rows) => {
      const titles = rows.map(({ run, result }) => studentTitle(result.stage, heads[run].start));
      const alike = new Set(titles).size === 1;
      return element(
        'tbody',
        {},
        ...rows.map((row, i) => {
          const { result, run } = row;
          const pair = (against: Pair['against']) =>
            pairs.find((one) => one.run === heads[run].folder && one.stage === result.stage && one.against === against);
          const [base, first] = [pair('base'), pair('first')];
          return element(
            'tr',
            {},
            i === 0
              ? element(
                  'th',
                  { scope: 'rowgroup', rowspan: rows.length, title: result.checkpoint },
                  ...visibleNodes(alike ? titles[0] : 'Start'),
                )
              : null,
            several
              ? element(
                  'th',
                  { scope: 'row', class: 'of-run', title: heads[run].id },
                  swatch(run),
                  element('span', { class: 'letter' }, letterOf(run)),
                  alike
                    ? null
                    : element('span', { class: 'dim foreign' }, ...visibleNodes(` ${startText(heads[run].start)}`)),
                )
              : null,
            element('td', { class: 'number strong' }, valueText(result.accuracy, 'share')),
            element(
              'td',
              {},
              intervalBar(result, span, several ? run : null),
              intervalText(result.interval, (end) => (100 * end).toFixed(1)),
            ),
            points(base),
            several ? points(first) : null,
            element('td', { class: 'number' }, valueText(result.meanTokens, 'tokens')),
            tokens(base),
            several ? tokens(first) : null,
            element('td', { class: 'number' }, valueText(result.truncated, 'share')),
            element('td', { class: 'number' }, result.seconds > 0 ? duration(result.seconds) : ''),
            element('td', { class: 'number' }, result.n),
          );
        }),
      );
    }),
  );
}

function points(pair: Pair | undefined): HTMLElement {
  const write = (value: number) => (100 * value).toFixed(1);
  return difference(pair, pair?.accuracy, pair?.accuracyInterval, write, 'points', 1);
}

function tokens(pair: Pair | undefined): HTMLElement {
  return difference(pair, pair?.tokens, pair?.tokensInterval, (value) => value.toFixed(0), 'tokens', -1);
}

/** Said to be better or worse only when its interval leaves out 0. */
function difference(
  pair: Pair | undefined,
  value: number | undefined,
  interval: [number, number] | undefined,
  write: (value: number) => string,
  unit: string,
  better: 1 | -1,
): HTMLElement {
  if (!pair || value === undefined || !interval) return element('td', {});
  const certain = interval[0] > 0 || interval[1] < 0;
  const good = value * better > 0;
  return element(
    'td',
    {
      class: `number ${certain ? (good ? 'good' : 'bad') : ''}`,
      title: `${signed(write(value))} ${unit} on the ${pair.n} problems that both answered; 95 % interval ${minus(write(interval[0]))} to ${minus(write(interval[1]))}${certain ? `: ${good ? 'better' : 'worse'}` : ': may be chance'}`,
    },
    certain ? element('span', { class: 'spoken' }, good ? 'better ' : 'worse ') : null,
    `${certain ? (value > 0 ? '▲ ' : '▼ ') : ''}${signed(write(value))} `,
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
