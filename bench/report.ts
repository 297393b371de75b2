/** The benchmark's figures as tables. */
import type { Peak } from './vocabulary';
import { shape } from './workload';

/** Milliseconds of each round by contender; the n-th rounds of all ran at about the same time. */
export type Rounds = Record<string, number[]>;

export interface Speed {
  name: string;
  rounds: number;
  bestMs: number;
  medianMs: number;
  /** Ratios of times to each peer's (none of a peer to itself): of the best rounds, and the median over rounds. */
  ratios: Record<string, { best: number; median: number } | undefined>;
}

export const median = (values: number[]) => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

export function speeds(rounds: Rounds, peers: readonly string[]): Speed[] {
  return Object.entries(rounds).map(([name, times]) => {
    const ratios = peers.map((peer) => {
      const best = Math.min(...times) / Math.min(...rounds[peer]);
      return [
        peer,
        peer === name ? undefined : { best, median: median(times.map((time, i) => time / rounds[peer][i])) },
      ];
    });
    const [bestMs, medianMs] = [Math.min(...times), median(times)];
    return { name, rounds: times.length, bestMs, medianMs, ratios: Object.fromEntries(ratios) };
  });
}

export const table = (...rows: string[][]) =>
  [rows[0], rows[0].map((_, i) => (i === 0 ? '---' : '---:')), ...rows.slice(1)]
    .map((cells) => `| ${cells.map((cell, column) => pad(cell, column, rows)).join(' | ')} |`)
    .join('\n');

function pad(cell: string, column: number, rows: string[][]): string {
  const width = Math.max(4, ...rows.map((row) => row[column].length));
  if (/^-+:?$/.test(cell)) return cell.padStart(width, '-');
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

const times = (ratio: number) => `${ratio.toFixed(2)}x`;

/** A row for each contender: `figure` of its best and median time, and `ratio` of its times to each peer's. */
function speedTable(
  [work, unit, compared]: [string, string, string],
  rows: Speed[],
  figure: (ms: number) => string,
  ratio: (ratio: number) => number,
): string {
  const peers = Object.keys(rows[0].ratios);
  const cells = (ratios: Speed['ratios'][string]) =>
    ratios ? [times(ratio(ratios.best)), times(ratio(ratios.median))] : ['', ''];
  return table(
    [
      work,
      `best ${unit}`,
      `median ${unit}`,
      ...peers.flatMap((peer) => [`${compared} / ${peer}, best`, 'median of rounds']),
      'rounds',
    ],
    ...rows.map(({ name, bestMs, medianMs, ratios, rounds }) => [
      name,
      figure(bestMs),
      figure(medianMs),
      ...peers.flatMap((peer) => cells(ratios[peer])),
      String(rounds),
    ]),
  );
}

export const trainTable = (rows: Speed[]): string =>
  speedTable(
    ['train step', 'ms', 'time'],
    rows,
    (ms) => ms.toFixed(0),
    (ratio) => ratio,
  );

export const generationTable = (rows: Speed[]): string =>
  speedTable(
    ['generation', 'tokens/s', 'speed'],
    rows,
    (ms) => ((1000 * shape.rows * shape.newTokens) / ms).toFixed(0),
    (ratio) => 1 / ratio,
  );

export function memoryTable(peaks: Peak[]): string {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  return table(
    [
      'tokenLogProbs + gradient',
      'vocabulary',
      'weight MB',
      'its gradient MB',
      'all else MB',
      'rounding MB',
      'the logits would take MB',
    ],
    ...peaks.map(({ backend, vocab, weight, beyond, rounding, logits }) => [
      backend,
      String(vocab),
      megabytes(weight),
      megabytes(weight),
      megabytes(beyond),
      megabytes(rounding),
      megabytes(logits),
    ]),
  );
}
