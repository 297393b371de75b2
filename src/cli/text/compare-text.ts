/** Several runs as tables, for a terminal or in Markdown. */
import { groupedBy } from '../../grouped';
import { fewRunsNote } from '../../report/comparison';
import type { GroupDifference, GroupResult, RunGroup, TestResults } from '../../report/group-results';
import type { ComparedRuns } from '../../report/groups';
import type { PairedDifference } from '../../runs/paired';
import { signed } from '../../words';
import { fitting, inMarkdown, markdownTable, narrowed, percent, percentRange, plural } from '../terminal/format';
import { inOneLine, pc } from '../terminal/terminal';

/** Where there is too little room for all columns, those of the highest rank go first. */
interface Column<T> {
  heading: string;
  rank?: number;
  cell(row: T): string;
}

interface Style {
  /** The first `left` columns are left-aligned. */
  table<T>(columns: readonly Column<T>[], rows: readonly T[], left: number): string;
  title(text: string): string;
  note(text: string): string;
  /** Text from elsewhere, on one line. */
  text(text: string): string;
  /** A difference that is certainly one for the better, or for the worse. */
  certain(better: boolean, text: string): string;
}

const cellsOf = <T>(columns: readonly Column<T>[], rows: readonly T[]) =>
  rows.map((row) => columns.map(({ cell }) => cell(row)));
const headOf = (columns: readonly { heading: string }[]) => columns.map(({ heading }) => heading);

const terminal: Style = {
  table(columns, rows, left) {
    const shown = { head: headOf(columns), ranks: columns.map(({ rank }) => rank), left };
    return fitting(narrowed(shown, cellsOf(columns, rows)));
  },
  title: pc.bold,
  note: pc.dim,
  text: inOneLine,
  certain: (better, text) => (better ? pc.green : pc.red)(text),
};

const markdown: Style = {
  table(columns, rows, left) {
    // Neither a number with its unit nor an interval is broken into two lines.
    const shown = (cell: string, i: number) => (i < left ? cell : cell.replace(/ (?!\[)/g, '\u00a0'));
    return markdownTable(
      headOf(columns),
      cellsOf(columns, rows).map((cells) => cells.map(shown)),
      left,
    );
  },
  title: (text) => `**${text}**`,
  note: (text) => text.replaceAll('\n', '  \n'),
  text: inMarkdown,
  certain: (_, text) => text,
};

export function comparedText(compared: ComparedRuns, asMarkdown = false): string {
  const { groups, settings, tests, leftOut } = compared;
  const style = asMarkdown ? markdown : terminal;
  return [
    style.table(groupColumns, groups, 3),
    ...(settings.length > 0 ? [settingsText(compared, style)] : []),
    ...tests.flatMap((test) => testText(test, groups, style)),
    style.note(notesOf(compared).map(style.text).join('\n')),
    ...(leftOut.length > 0
      ? [['Left out:', ...leftOut.map(({ id, reason }) => `${style.text(id)}: ${style.text(reason)}`)].join('\n- ')]
      : []),
  ].join('\n\n');
}

const groupColumns: Column<RunGroup>[] = [
  { heading: 'group', cell: ({ label }) => label },
  { heading: 'experiment', cell: ({ name }) => name },
  { heading: 'seeds', cell: ({ runs }) => runs.map(({ seed }) => seed ?? '–').join(', ') },
  { heading: 'runs', cell: ({ runs }) => String(runs.length) },
];

/** Number of settings shown: the most important come first. */
const mostSettings = 12;

/** The end of a path says most. */
const middleClipped = (text: string) => (text.length > 40 ? `${text.slice(0, 12)}…${text.slice(-27)}` : text);

function settingsText({ groups, settings }: ComparedRuns, style: Style): string {
  const columns = [
    { heading: 'setting that differs', cell: ({ path }: (typeof settings)[number]) => path },
    ...groups.map(({ label }, i) => ({
      heading: label,
      cell: ({ values }: (typeof settings)[number]) => middleClipped(values[i] ?? 'not set'),
    })),
  ];
  const more = settings.length - mostSettings;
  return [
    style.table(columns, settings.slice(0, mostSettings), columns.length),
    ...(more > 0 ? [style.note(`and ${plural(more, 'more setting')}, see --json`)] : []),
  ].join('\n');
}

function testText({ problems, unit, results, differences }: TestResults, groups: readonly RunGroup[], style: Style) {
  const lengths = unit ?? 'tokens';
  const change = (of: 'accuracy' | 'tokens') => (difference?: PairedDifference) =>
    difference ? changeText(difference, of, style) : '';
  const [points, tokens] = [change('accuracy'), change('tokens')];
  const columns: Column<GroupResult>[] = [
    { heading: 'student', cell: ({ title }) => title },
    ...(groups.length > 1 ? [{ heading: 'group', cell: ({ group }: GroupResult) => group }] : []),
    { heading: 'runs', rank: 6, cell: ({ runs }) => String(runs) },
    { heading: 'accuracy', cell: ({ accuracy }) => percent(accuracy) },
    { heading: '95 % interval', cell: ({ accuracyInterval }) => percentRange(accuracyInterval) },
    { heading: lengths, cell: ({ meanTokens }) => meanTokens.toFixed(1) },
    { heading: 'points vs base', rank: 2, cell: ({ fromBase }) => points(fromBase) },
    { heading: `${lengths} vs base`, rank: 4, cell: ({ fromBase }) => tokens(fromBase) },
    { heading: 'points vs strongest baseline', rank: 3, cell: ({ fromStrongest }) => points(fromStrongest) },
    { heading: `${lengths} vs strongest baseline`, rank: 5, cell: ({ fromStrongest }) => tokens(fromStrongest) },
  ];
  const between: Column<GroupDifference>[] = [
    { heading: 'student', cell: ({ title }) => title },
    { heading: 'groups', cell: ({ group, from }) => `${group} vs ${from}` },
    {
      heading: 'runs',
      rank: 1,
      cell: ({ runs, runsFrom, pairedBySeed }) =>
        pairedBySeed ? `${plural(runs, 'pair')} by seed` : `${runs} and ${runsFrom}, no pairs`,
    },
    { heading: 'points', cell: points },
    { heading: lengths, cell: tokens },
  ];
  const filled = columns.filter(({ cell }) => results.some((row) => cell(row) !== ''));
  const left = groups.length > 1 ? 2 : 1;
  return [
    `${style.title(`Test results on ${plural(problems, 'problem')}`)}\n\n${style.table(filled, results, left)}`,
    ...(differences.length > 0
      ? [`${style.title('Differences on the same problems')}\n\n${style.table(between, differences, 3)}`]
      : []),
  ];
}

/** `+3.1 [1.2, 5.0]`: said to be better or worse only when its interval leaves out 0. */
function changeText(difference: PairedDifference, of: 'accuracy' | 'tokens', style: Style): string {
  const [scale, better] = of === 'accuracy' ? [100, 1] : [1, -1];
  const [low, high] = difference[`${of}Interval`];
  const text = `${signed(scale * difference[of])} [${signed(scale * low)}, ${signed(scale * high)}]`;
  return low > 0 || high < 0 ? style.certain(low * better > 0, text) : text;
}

function notesOf({ groups, tests }: ComparedRuns): string[] {
  const baselines = tests.flatMap(({ results }) => results.filter(({ strongestBaseline }) => strongestBaseline));
  const strongest = groupedBy(baselines, ({ stage }) => stage).map(
    (alike) => `${alike[0].title} (${[...new Set(alike.map(({ group }) => group))].join(', ')})`,
  );
  const few = groupedBy(groups, ({ runs }) => String(runs.length)).flatMap((alike) => {
    const note = fewRunsNote(alike[0].runs.length);
    return note ? [`${alike.map(({ label }) => label).join(', ')}: ${note}`] : [];
  });
  return [
    'Intervals are at 95 %, over runs and problems (docs/baselines.md).',
    ...(strongest.length > 0 ? [`Strongest baseline: ${strongest.join(', ')}.`] : []),
    ...few,
    ...(tests.length > 1
      ? [
          `There are ${tests.length} sets of test problems: ` +
            'students that were tested on different ones are not compared.',
        ]
      : []),
  ];
}
