import {
  add,
  dispose,
  engine,
  matMul,
  memory,
  mul,
  type Scalar,
  sum,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { adaptedLinear, glu, rmsNorm } from './interface';
import { gradientsOf } from './tape';
import { backendNames, switchTo } from './testing/backends';
import { expectClose } from './testing/close';
import { randomTensor } from './testing/random';

/** Layers in which tensors are read twice and thrice, kernels of one and of two outputs, and a sum with a row. */
function network(depth: number) {
  const matrix = (seed: number, rows: number, columns: number) => randomTensor(seed, [rows, columns], 0.3) as Tensor2D;
  const [x, gate, up, a, b] = [
    matrix(1, 64, 32),
    matrix(2, 32, 32),
    matrix(3, 32, 32),
    matrix(4, 3, 32),
    matrix(5, 32, 3),
  ];
  const [weight, row] = [randomTensor(6, [32]) as Tensor1D, randomTensor(7, [32]) as Tensor1D];
  const loss = () => {
    let y = x;
    for (let i = 0; i < depth; i++) {
      const normed = rmsNorm(y, weight, { eps: 1e-6, offset: 0 });
      const adapted = adaptedLinear(normed, up, a, b, { scale: 2, dropout: 0.2, seed: i });
      const gated = glu(matMul(normed, gate), adapted, 'silu');
      y = add(add(y, gated), add(normed, row));
    }
    return sum(mul(y, y)) as Scalar;
  };
  return { loss, by: [gate, a, b, weight, row], all: [x, gate, up, a, b, weight, row] };
}

describe.each(backendNames)('on %s', (backendName) => {
  beforeAll(() => switchTo(backendName));

  it('gives the gradients of the engine, bit for bit, and leaves no other tensor', () => {
    const before = memory().numTensors;
    const { loss, by, all } = network(4);
    const expected = engine().gradients(loss, by);
    const { value, grads } = gradientsOf(loss, by);
    expectClose(value, expected.value, 0);
    for (const [i, grad] of grads.entries()) expectClose(grad, expected.grads[i], 0);
    dispose([value, ...grads, expected.value, ...expected.grads, ...all]);
    expect(memory().numTensors).toBe(before);
  });

  it('holds about half as many bytes meanwhile', () => {
    const { loss, by, all } = network(12);
    const peak = (compute: (loss: () => Scalar) => { value: { dispose(): void }; grads: { dispose(): void }[] }) => {
      let most = 0;
      const watched = () => {
        const y = loss();
        for (const node of engine().state.activeTape) {
          const { gradient } = node;
          if (gradient)
            node.gradient = (dys) => {
              most = Math.max(most, memory().numBytes);
              return gradient(dys);
            };
        }
        return y;
      };
      const start = memory().numBytes;
      const { value, grads } = compute(watched);
      dispose([value, ...grads] as never);
      return most - start;
    };
    const whole = peak((f) => engine().gradients(f, by) as never);
    expect(peak((f) => gradientsOf(f, by))).toBeLessThan(0.65 * whole);
    dispose(all);
  });
});
