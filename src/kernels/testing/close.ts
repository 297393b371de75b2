import type { Tensor } from '@tensorflow/tfjs-core';

/**
 * Asserts that |actual - expected| is at most `tolerance` times the largest expected magnitude (or `floor`, if that is
 * larger). The message gives the largest error and its position.
 */
export function expectClose(
  actual: Tensor | ArrayLike<number>,
  expected: Tensor | ArrayLike<number>,
  tolerance: number,
  { what = 'values', floor = 1e-6 }: { what?: string; floor?: number } = {},
): void {
  const [got, wanted] = [numbersOf(actual), numbersOf(expected)];
  if (got.length !== wanted.length) throw new Error(`${what}: ${got.length} values, expected ${wanted.length}`);
  let scale = floor;
  for (let i = 0; i < wanted.length; i++) scale = Math.max(scale, Math.abs(wanted[i]));
  let worst = 0;
  let at = 0;
  for (let i = 0; i < wanted.length; i++) {
    const error = got[i] === wanted[i] ? 0 : Math.abs(got[i] - wanted[i]);
    if (Number.isNaN(error) || error > worst) [worst, at] = [error, i];
    if (Number.isNaN(error)) break;
  }
  if (worst <= tolerance * scale) return;
  throw new Error(
    `${what}: largest error ${worst} at ${at} of ${got.length} (${got[at]}, expected ${wanted[at]}); allowed ${tolerance * scale}`,
  );
}

function numbersOf(values: Tensor | ArrayLike<number>): ArrayLike<number> {
  return 'dataSync' in values ? values.dataSync() : values;
}
