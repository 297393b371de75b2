import { drawnMetrics, recordRanges, smooth } from '../../report/curves';
import { escaped } from '../../report/html';
import { resultsTable } from '../../results-table';
import type { MetricsRecord, StageRow } from '../../runs/records';
import { shortStageTitles, stageBands, stageNames, stageTitles } from '../../stages';
import { type Start, studentLabel } from '../../start';
import { minus, percent } from '../../words';

/** The data of a picture: the rows of summary.json and metrics.jsonl. */
export interface Pictured {
  name: string;
  rows: readonly StageRow[];
  metrics: readonly MetricsRecord[];
  /** The checkpoint that the run began with. */
  start?: Start;
}

type Measure = keyof MetricsRecord & ('accuracy' | 'lengthMean' | 'reward' | 'loss' | 'entropy' | 'replayLoss');

interface PictureCurve {
  measure: Measure;
  title: string;
  show: (value: number) => string;
}

const curves: PictureCurve[] = [
  { measure: 'accuracy', title: 'right while sampling', show: (value) => percent(value, 0) },
  { measure: 'lengthMean', title: 'tokens a completion', show: (value) => value.toFixed(0) },
  { measure: 'reward', title: 'reward', show: (value) => value.toFixed(2) },
  { measure: 'loss', title: 'cross-entropy (Stage 1, internalise)', show: (value) => value.toFixed(2) },
];

const width = 920;
const left = 20;
const rowHeight = 22;
const plot = { width: 425, height: 120, gap: 30 };

/** The run as one SVG that suits light and dark pages: the results table, and curves with the stages as bands. */
export function runPicture({ name, rows, metrics, start }: Pictured): string {
  const drawn = drawnMetrics(metrics);
  const tableHeight = 60 + rowHeight * (rows.length + 1);
  const height = tableHeight + 2 * (plot.height + 50) + 20;
  const supervised = (record: MetricsRecord) => record.accuracy === undefined;
  const panels = curves.map((curve, i) => {
    const { measure } = curve;
    // Supervised losses and policy losses share a name but not a scale; only the former are cross-entropies.
    const of = drawn.map((record) => (measure === 'loss' && !supervised(record) ? undefined : record[measure]));
    const x = left + (i % 2) * (plot.width + plot.gap);
    const y = tableHeight + 30 + Math.floor(i / 2) * (plot.height + 50);
    return panel(curve, of, drawn, { x, y });
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" ` +
      'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13">',
    `<title>${escaped(`${name}: results and curves of a run`)}</title>`,
    '<style>:root{color-scheme:light dark}text{fill:#24292f}.dim{fill:#6e7781}.line{stroke:#0969da}' +
      '.over{paint-order:stroke;stroke:#fff;stroke-width:3px}' +
      '@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#8b949e}' +
      '.line{stroke:#58a6ff}.over{stroke:#0d1117}}</style>',
    text(left, 28, `${name}: test results`, 'font-weight="bold"'),
    ...table(rows, start),
    ...panels,
    '</svg>\n',
  ].join('\n');
}

/** Of a character, and between two columns. */
const wide = { character: 8, gap: 18 };

function table(students: readonly StageRow[], start: Start | undefined): string[] {
  const { headings, rows } = resultsTable(students, { start, differences: false });
  const lines = [
    ['', ...headings.map((heading) => heading.toLowerCase())],
    ...rows.map(({ row, cells }) => [studentLabel(row.stage, start), ...cells.map((cell) => cell.text)]),
  ];
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const upTo = (column: number) => widths.slice(0, column + 1).reduce((sum, width) => sum + width, 0);
  const ends = widths.map((_, i) => left + wide.character * upTo(i) + wide.gap * i);
  const drawn = (line: string[], i: number) =>
    line.map((cell, column) => {
      const place = column === 0 ? left : ends[column];
      const look = `text-anchor="${column === 0 ? 'start' : 'end'}" ${i === 0 ? 'class="dim"' : ''}`;
      return text(place, 52 + rowHeight * i, cell, look);
    });
  return lines.map((line, i) => drawn(line, i).join(''));
}

function panel(
  { title, show }: PictureCurve,
  values: (number | undefined)[],
  metrics: readonly MetricsRecord[],
  { x, y }: { x: number; y: number },
): string {
  const known = values.filter((value): value is number => value !== undefined && Number.isFinite(value));
  const low = Math.min(...known);
  const high = Math.max(...known);
  const across = (i: number) => x + (plot.width * (i + 0.5)) / values.length;
  const up = (value: number) => y + plot.height - ((value - low) / (high - low || 1)) * plot.height;
  const parts = recordRanges(metrics).map(({ stage, from, to }) => {
    const begin = x + (plot.width * from) / values.length;
    const width = (plot.width * (to - from)) / values.length;
    const place = `x="${round(begin)}" y="${y}" width="${round(width)}" height="${plot.height}"`;
    return `<rect ${place} fill="${stageBands[stage]}"><title>${stageTitles[stage]}</title></rect>`;
  });
  const drawn = recordRanges(metrics).map(({ from, to }) => {
    const points = smooth(values.slice(from, to)).flatMap((value, i) =>
      value === undefined ? [] : [`${round(across(from + i))},${round(up(value))}`],
    );
    return points.length > 1
      ? `<polyline fill="none" class="line" stroke-width="1.5" points="${points.join(' ')}"/>`
      : '';
  });
  const limit = (value: string, at: number) =>
    text(x + plot.width - 4, at, minus(value), 'text-anchor="end" class="dim over" font-size="11"');
  return [
    text(x, y - 8, title),
    ...parts,
    ...drawn,
    ...bandNames(metrics, { x, y }),
    ...(known.length > 0
      ? [limit(show(high), y + 13), limit(show(low), y + plot.height - 4)]
      : [text(x + 8, y + 20, 'not measured', 'class="dim"')]),
  ].join('\n');
}

/** The stages' names at the top of their bands, where these are wide enough; the last one below the largest value. */
function bandNames(metrics: readonly MetricsRecord[], { x, y }: { x: number; y: number }): string[] {
  const share = plot.width / metrics.length;
  return stageNames.flatMap((stage) => {
    const from = metrics.findIndex((record) => record.stage === stage);
    if (from < 0) return [];
    const to = metrics.findLastIndex((record) => record.stage === stage) + 1;
    const name = shortStageTitles[stage];
    const top = y + (to === metrics.length ? 28 : 13);
    return share * (to - from) < 6.6 * name.length + 8
      ? []
      : [text(Number(round(x + share * from + 4)), top, name, 'class="dim over" font-size="11"')];
  });
}

const round = (value: number) => value.toFixed(1);

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;
}
