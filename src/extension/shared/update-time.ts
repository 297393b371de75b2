import { mean } from '../../statistics';

/** The pace is measured over this many updates. */
export const updatesAveraged = 30;

/**
 * Mean milliseconds per update, from the times of the last updates; undefined for fewer than two. Validation between
 * updates counts, as it recurs. Pauses do not: gaps of at least 30 s that are ten times the usual one.
 */
export function meanUpdateTime(times: readonly number[]): number | undefined {
  const last = times.slice(-updatesAveraged - 1);
  const gaps = last.slice(1).map((time, i) => time - last[i]);
  if (gaps.length === 0) return undefined;
  const median = gaps.toSorted((a, b) => a - b)[gaps.length >> 1];
  const worked = gaps.filter((gap) => gap < Math.max(30_000, 10 * median));
  return worked.length > 0 ? mean(worked) : median;
}
