/** Measures the speed of the current backend. */
import { matMul, randomUniform, type Tensor2D } from '@tensorflow/tfjs-core';

/**
 * The best of several products of square matrices within some milliseconds, in floating-point operations per second.
 */
export function multiplicationSpeed({ size = 256, milliseconds = 60 } = {}): number {
  const a = randomUniform([size, size], -1, 1, 'float32', 1) as Tensor2D;
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + milliseconds;
  for (let i = 0; i < 10 || performance.now() < end; i++) {
    const start = performance.now();
    const product = matMul(a, a, false, true);
    product.dataSync(); // a device may still be computing when matMul returns
    best = Math.min(best, performance.now() - start);
    product.dispose();
  }
  a.dispose();
  return (2 * size ** 3) / (best / 1000);
}
