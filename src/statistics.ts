import { Random } from './random';

/** Wilson score interval of a share, at 95 % (Wilson 1927): unlike the normal interval it is reliable near 0 and 1. */
export function wilsonInterval(right: number, n: number): [number, number] {
  if (n === 0) return [0, 1];
  const z = 1.959964;
  const p = right / n;
  const centre = p + (z * z) / (2 * n);
  const half = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  return [Math.max(0, (centre - half) / scale), Math.min(1, (centre + half) / scale)];
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The largest of any number of values and `least`; spreading over some 120,000 arguments overflows the stack. */
export function largest(values: Iterable<number>, least = Number.NEGATIVE_INFINITY): number {
  let found = least;
  for (const value of values) if (value > found) found = value;
  return found;
}

/** The smallest of any number of values; Infinity without any. */
export function smallest(values: Iterable<number>): number {
  let found = Number.POSITIVE_INFINITY;
  for (const value of values) if (value < found) found = value;
  return found;
}

/** Sample standard deviation (n - 1); 0 for fewer than two values. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** With fewer runs an interval says little about variation between seeds. */
export const enoughRuns = 5;

/**
 * 95 % interval of a mean difference between two students, by a bootstrap over problems and runs (2,000 draws,
 * percentiles). `differences` has a row for each run and a column for each problem, the same problems in every row; a
 * run is anything trained independently: a seed, or a base student with its seeds averaged.
 *
 * Every run answers the same problems, so runs and problems are crossed: a draw resamples problems once for all runs,
 * and runs once for all problems (Owen 2007, "The pigeonhole bootstrap"). Answers of a base student that the runs share
 * are thus counted once. One run less than there are is drawn, which makes the variance between runs unbiased (Rao and
 * Wu 1988, "Resampling inference with complex survey data"). With one run this is the ordinary paired bootstrap over
 * problems, and does not cover variation between seeds.
 */
export function pairedInterval(differences: readonly (readonly number[])[], seed = 1): [number, number] {
  const problems = differences[0]?.length ?? 0;
  if (differences.some(({ length }) => length !== problems))
    throw new Error('Every run has to answer the same problems');
  const [problem, run] = [new Random(seed, 'paired'), new Random(seed, 'paired/runs')];
  const runsDrawn = Math.max(1, differences.length - 1);
  const means = Array.from({ length: 2000 }, () => {
    const drawn = Array.from({ length: runsDrawn }, () => differences[run.integer(0, differences.length - 1)]);
    let sum = 0;
    for (let i = 0; i < problems; i++) {
      const at = problem.integer(0, problems - 1);
      for (const row of drawn) sum += row[at];
    }
    return sum / Math.max(problems * runsDrawn, 1);
  }).sort((a, b) => a - b);
  return [means[49], means[1949]];
}
