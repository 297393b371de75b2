import { Random } from './random';

/** Wilson score interval of a share, at 95 % (Wilson 1927): honest near 0 and 1, unlike the normal one. */
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

/** Sample standard deviation (n - 1); 0 for fewer than two values. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/**
 * 95 % interval of mean(after) - mean(before) over the same problems, by resampling problems (paired bootstrap, 2,000 draws). Both arrays
 * hold one value a problem, in the same order.
 */
export function pairedInterval(before: readonly number[], after: readonly number[], seed = 1): [number, number] {
  const n = before.length;
  const difference = before.map((value, i) => after[i] - value);
  const random = new Random(seed, 'paired');
  const means = Array.from({ length: 2000 }, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += difference[random.integer(0, n - 1)];
    return sum / Math.max(n, 1);
  }).sort((a, b) => a - b);
  return [means[49], means[1949]];
}
