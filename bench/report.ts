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
  /** Ratio of times to the peer's: of the best rounds, and the median over rounds. */
  bestRatio?: number;
  medianRatio?: number;
}

export const median = (values: number[]) => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

export function speeds(rounds: Rounds, peer: string): Speed[] {
  return Object.entries(rounds).map(([name, times]) => {
    const speed = { name, rounds: times.length, bestMs: Math.min(...times), medianMs: median(times) };
    if (name === peer || !rounds[peer]) return speed;
    const ratios = times.map((time, i) => time / rounds[peer][i]);
    return { ...speed, bestRatio: speed.bestMs / Math.min(...rounds[peer]), medianRatio: median(ratios) };
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

const times = (ratio?: number) => (ratio === undefined ? '' : `${ratio.toFixed(2)}x`);

export function trainTable(rows: Speed[]): string {
  return table(
    ['train step', 'best ms', 'median ms', "time / PyTorch's, best", 'median of rounds', 'rounds'],
    ...rows.map(({ name, bestMs, medianMs, bestRatio, medianRatio, rounds }) => [
      name,
      bestMs.toFixed(0),
      medianMs.toFixed(0),
      times(bestRatio),
      times(medianRatio),
      String(rounds),
    ]),
  );
}

export function generationTable(rows: Speed[]): string {
  const perSecond = (ms: number) => ((1000 * shape.rows * shape.newTokens) / ms).toFixed(0);
  const inverse = (ratio?: number) => times(ratio && 1 / ratio);
  return table(
    ['generation', 'best tokens/s', 'median tokens/s', "speed / PyTorch's, best", 'median of rounds', 'rounds'],
    ...rows.map(({ name, bestMs, medianMs, bestRatio, medianRatio, rounds }) => [
      name,
      perSecond(bestMs),
      perSecond(medianMs),
      inverse(bestRatio),
      inverse(medianRatio),
      String(rounds),
    ]),
  );
}

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
