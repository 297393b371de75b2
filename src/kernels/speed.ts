/** Measures the speed of the current backend. */
import { matMul, randomUniform, type Tensor2D } from '@tensorflow/tfjs-core';

/**
 * The best of several products of square matrices, in floating-point operations per second. It takes some milliseconds,
 * or on a busy or slow machine up to five times as long, for ten products.
 */
export function multiplicationSpeed({ size = 256, milliseconds = 60 } = {}): number {
  const a = randomUniform([size, size], -1, 1, 'float32', 1) as Tensor2D;
  let best = Number.POSITIVE_INFINITY;
  const begin = performance.now();
  for (let i = 0; performance.now() < begin + milliseconds * (i < 10 ? 5 : 1); i++) {
    const start = performance.now();
    const product = matMul(a, a, false, true);
    product.dataSync(); // a device may still be computing when matMul returns
    best = Math.min(best, performance.now() - start);
    product.dispose();
  }
  a.dispose();
  return (2 * size ** 3) / (best / 1000);
}
