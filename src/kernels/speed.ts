/** How fast the backend that is set computes. */
import { matMul, randomUniform, type Tensor2D } from '@tensorflow/tfjs-core';

/** The best of several products of square matrices within some milliseconds, in floating-point operations a second. */
export function multiplicationSpeed({ size = 256, milliseconds = 60 } = {}): number {
  const a = randomUniform([size, size], -1, 1, 'float32', 1) as Tensor2D;
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + milliseconds;
  do {
    const start = performance.now();
    const product = matMul(a, a, false, true);
    product.dataSync(); // a device may still be at work when matMul returns
    best = Math.min(best, performance.now() - start);
    product.dispose();
  } while (performance.now() < end);
  a.dispose();
  return (2 * size ** 3) / (best / 1000);
}
