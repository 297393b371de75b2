/** Lengths of chains, and the number that fit a token budget. */
import { largest } from '../statistics';

/** A budget, and the number of measured chains that fit. */
export interface LengthBudget {
  tokens: number;
  rows: number;
}

/** Budgets are multiples of this. */
const step = 16;
const shares = [0.5, 0.75, 0.9, 0.95, 0.99, 1];

export const roundedUp = (tokens: number) => step * Math.ceil(tokens / step);

/** The quantile of the lengths at this share; 0 if there are none. */
export function quantile(lengths: readonly number[], share: number): number {
  const sorted = lengths.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** Budgets for half of the chains up to all of them, plus those in `asked`, in ascending order. */
export function budgetsOf(lengths: readonly number[], asked: readonly number[] = []): LengthBudget[] {
  const proposed = lengths.length > 0 ? shares.map((share) => roundedUp(quantile(lengths, share))) : [];
  return [...new Set([...proposed, ...asked])]
    .sort((a, b) => a - b)
    .map((tokens) => ({ tokens, rows: lengths.filter((length) => length <= tokens).length }));
}

/** A bar of a histogram: lengths from `from` up to but not including `to`. */
export interface Bar {
  from: number;
  to: number;
  rows: number;
}

/** The lengths in about ten bars of a round width; lengths above the 99th percentile are in the last one. */
export function histogram(lengths: readonly number[]): Bar[] {
  if (lengths.length === 0) return [];
  const most = quantile(lengths, 0.99);
  const power = 10 ** Math.floor(Math.log10(Math.max(1, most / 10)));
  const width = Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((one) => 10 * one >= most)!);
  const bars = Math.floor(most / width) + 1;
  return Array.from({ length: bars }, (_, i) => {
    const [from, last] = [i * width, i === bars - 1];
    const to = last ? Math.max((i + 1) * width, largest(lengths) + 1) : (i + 1) * width;
    return { from, to, rows: lengths.filter((length) => length >= from && length < to).length };
  });
}
