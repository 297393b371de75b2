import { matMul, type Scalar, sum, type Tensor, type Tensor2D, tensor2d, tidy, zeros } from '@tensorflow/tfjs-core';
import { useBackend } from '../backends';
import { glu } from '../interface';
import { gradientsOf } from '../tape';
import { openTensorFlow } from './open';
import type { ProbeResult } from './probe';

/**
 * Loads TensorFlow into this process and compares a product and two gradients with the correct values. Never throws.
 */
export async function verifyTensorFlow(gpu: boolean): Promise<ProbeResult> {
  try {
    await useBackend(gpu ? 'tensorflow-gpu' : 'tensorflow');
    tidy(() => {
      const x = tensor2d([1, 2, 3, 4], [2, 2]);
      expectValues('a product', matMul(x, x), [7, 10, 15, 22]);
      const [dx] = gradientsOf(() => sum(matMul(x, x)) as Scalar, [x]).grads;
      expectValues('the gradient of a product', dx, [7, 11, 9, 13]);
      const gate = zeros([2, 2]) as Tensor2D;
      const [dGate] = gradientsOf(() => sum(glu(gate, x, 'silu')) as Scalar, [gate]).grads;
      expectValues('the gradient of Glu', dGate, [0.5, 1, 1.5, 2]);
    });
    return { works: true, version: openTensorFlow(gpu).version };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { works: false, reason: cause instanceof Error ? cause.message.split('\n')[0] : String(cause) };
  }
}

function expectValues(what: string, got: Tensor, wanted: number[]): void {
  const values = got.dataSync();
  if (wanted.some((value, i) => !(Math.abs(values[i] - value) < 1e-4)))
    throw new Error(`it computes ${what} incorrectly: ${[...values]} instead of ${wanted}`);
}
