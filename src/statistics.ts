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
export function pairedInterval(differences: Rows, seed = 1): [number, number] {
  return bootstrapInterval([differences], seed);
}

/**
 * The same for two groups of runs without pairs, whose rows are values: a draw resamples problems once for both groups,
 * and the runs of each group separately.
 */
export function unpairedInterval(before: Rows, after: Rows, seed = 1): [number, number] {
  return bootstrapInterval([after, before.map((row) => row.map((value) => -value))], seed);
}

type Rows = readonly (readonly number[])[];

/** The interval of the sum of the groups' means. */
function bootstrapInterval(groups: readonly Rows[], seed: number): [number, number] {
  const problems = groups[0][0]?.length ?? 0;
  if (groups.flat().some(({ length }) => length !== problems))
    throw new Error('Every run has to answer the same problems');
  const [problem, run] = [new Random(seed, 'paired'), new Random(seed, 'paired/runs')];
  const means = Array.from({ length: 2000 }, () => {
    const drawn = groups.flatMap((rows) => {
      const n = Math.max(1, rows.length - 1);
      return Array.from({ length: n }, () => ({ row: rows[run.integer(0, rows.length - 1)], share: 1 / n }));
    });
    let sum = 0;
    for (let i = 0; i < problems; i++) {
      const at = problem.integer(0, problems - 1);
      for (const { row, share } of drawn) sum += share * row[at];
    }
    return sum / Math.max(problems, 1);
  }).sort((a, b) => a - b);
  return [means[49], means[1949]];
}
