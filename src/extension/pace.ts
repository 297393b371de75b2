import { mean } from '../statistics';

/** Updates that the pace is taken from. */
export const paceUpdates = 30;

/**
 * Milliseconds that an update takes, from the times of the last ones, one after the other; undefined for fewer than
 * two. The checks on held-out problems in between count, as they come again; rests do not: gaps of half a minute and
 * more that are ten times the usual one.
 */
export function paceOf(times: readonly number[]): number | undefined {
  const last = times.slice(-paceUpdates - 1);
  const gaps = last.slice(1).map((time, i) => time - last[i]);
  if (gaps.length === 0) return undefined;
  const median = gaps.toSorted((a, b) => a - b)[gaps.length >> 1];
  const worked = gaps.filter((gap) => gap < Math.max(30_000, 10 * median));
  return worked.length > 0 ? mean(worked) : median;
}
