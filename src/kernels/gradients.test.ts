import {
  add,
  clone,
  log,
  matMul,
  mean,
  mul,
  neg,
  reshape,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
} from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { adaptedLinear, embed, rmsNorm, tokenLogProbs } from './interface';
import { registerKernels } from './register';
import { backendNames, switchTo } from './testing/backends';
import { expectClose } from './testing/close';
import { tapeGradients } from './testing/gradient';
import { randomIds, randomTensor } from './testing/random';

/** sum(f(...inputs) * dy) before and after a small step along random directions, against what the gradients promise. */
function expectDirection(f: (...inputs: Tensor[]) => Tensor, shapes: number[][]): void {
  tidy(() => {
    const inputs = shapes.map((shape, i) => randomTensor(10 + i, shape as [number]));
    const directions = shapes.map((shape, i) => randomTensor(20 + i, shape as [number]));
    const dy = randomTensor(30, f(...inputs).shape as [number]);
    const grads = tapeGradients(() => f(...inputs), inputs, dy);
    grads.forEach((grad, k) => {
      const at = (step: number) => {
        const moved = inputs.map((input, i) => (i === k ? add(input, mul(directions[i], step)) : input));
        return sum(mul(f(...moved), dy)).dataSync()[0];
      };
      const promised = sum(mul(grad, directions[k])).dataSync()[0];
      expectClose([promised], [(at(0.05) - at(-0.05)) / 0.1], 2e-3, { what: `along input ${k}`, floor: 1 });
    });
  });
}

describe.each(backendNames)('gradients of tfjs operations on %s', (backendName) => {
  beforeAll(() => switchTo(backendName));

  const cases: [string, (...inputs: Tensor[]) => Tensor, number[][]][] = [
    [
      'add',
      (a, b) => add(a, b),
      [
        [3, 5],
        [3, 5],
      ],
    ],
    ['add, b broadcast over rows', (a, b) => add(a, b), [[3, 5], [5]]],
    [
      'add, a broadcast over columns',
      (a, b) => add(a, b),
      [
        [3, 1],
        [3, 5],
      ],
    ],
    ['sub, a a scalar', (a, b) => sub(a, b), [[], [2, 3]]],
    [
      'mul',
      (a, b) => mul(a, b),
      [
        [3, 5],
        [3, 5],
      ],
    ],
    [
      'mul, b broadcast',
      (a, b) => mul(a, b),
      [
        [2, 3, 5],
        [3, 1],
      ],
    ],
    ['mul by itself', (a) => mul(a, a), [[4]]],
    ['neg, reshape and clone', (a) => clone(reshape(neg(a), [5, 3])), [[3, 5]]],
    ['sum of all', (a) => sum(a), [[3, 5]]],
    ['sum over rows', (a) => sum(a, 0), [[3, 5]]],
    ['sum over columns, kept', (a) => sum(a, -1, true), [[3, 5]]],
    ['mean of all', (a) => mean(a), [[3, 5]]],
    ['mean over columns', (a) => mean(a, 1), [[3, 5]]],
    [
      'adaptedLinear with dropout',
      (x, a, b) =>
        tidy(() => {
          const weight = randomTensor(40, [6, 5]) as Tensor2D;
          const how = { scale: 2, dropout: 0.4, seed: 3 };
          return adaptedLinear(x as Tensor2D, weight, a as Tensor2D, b as Tensor2D, how);
        }),
      [
        [7, 5],
        [2, 5],
        [6, 2],
      ],
    ],
    [
      'matMul',
      (a, b) => matMul(a, b),
      [
        [3, 5],
        [5, 2],
      ],
    ],
    [
      'matMul, a transposed',
      (a, b) => matMul(a, b, true, false),
      [
        [5, 3],
        [5, 2],
      ],
    ],
    [
      'matMul, b transposed',
      (a, b) => matMul(a, b, false, true),
      [
        [3, 5],
        [2, 5],
      ],
    ],
    [
      'matMul, both transposed',
      (a, b) => matMul(a, b, true, true),
      [
        [5, 3],
        [2, 5],
      ],
    ],
    [
      'matMul, batched',
      (a, b) => matMul(a, b, false, true),
      [
        [4, 3, 5],
        [4, 2, 5],
      ],
    ],
    [
      'matMul, b shared by the batch',
      (a, b) => matMul(a, b),
      [
        [4, 3, 5],
        [1, 5, 2],
      ],
    ],
  ];

  it.each(cases)('%s', (_, f, shapes) => expectDirection(f, shapes));

  it('adds up where a tensor is used more than once', () => {
    tidy(() => {
      const x = randomTensor(1, [3, 4]) as Tensor2D;
      const f = () => add(add(x, x), mul(x, 3));
      expectClose(tapeGradients(f, [x], randomTensor(2, [3, 4]))[0], mul(randomTensor(2, [3, 4]), 5), 1e-6);
    });
  });

  it('says which operation has none', () => {
    const x = randomTensor(1, [2]);
    expect(() => tapeGradients(() => log(x), [x], randomTensor(2, [2]))).toThrow(/Log/);
    x.dispose();
  });

  it('works for some of the inputs of a fused kernel', () => {
    tidy(() => {
      const [x, weight, dy] = [randomTensor(1, [5, 4]), randomTensor(2, [4]), randomTensor(3, [5, 4])];
      const f = () => rmsNorm(x as Tensor2D, weight as Tensor1D, { eps: 1e-6, offset: 0 });
      const both = tapeGradients(f, [x, weight], dy);
      expectClose(tapeGradients(f, [weight], dy)[0], both[1], 0);
      expectClose(tapeGradients(f, [x], dy)[0], both[0], 0);
    });
  });

  it('leaves out that of a frozen output layer', () => {
    tidy(() => {
      const [hidden, weight, dy] = [randomTensor(1, [5, 4]), randomTensor(2, [9, 4]), randomTensor(3, [5])];
      const ids = randomIds(4, 5, 9);
      const of = (frozen: boolean) => () =>
        tokenLogProbs(hidden as Tensor2D, weight as Tensor2D, ids, 0.7, frozen).logProbs as Tensor;
      expectClose(tapeGradients(of(true), [hidden], dy)[0], tapeGradients(of(false), [hidden], dy)[0], 0);
      expect(() => tapeGradients(of(true), [hidden, weight], dy)).toThrow();
    });
  });

  it('reaches a table through another embed', () => {
    tidy(() => {
      const table = randomTensor(1, [7, 3]) as Tensor2D;
      const [ids, rows] = [randomIds(2, 9, 7), randomIds(3, 4, 9)];
      const dy = randomTensor(4, [4, 3]);
      const [through] = tapeGradients(() => embed(embed(table, ids), rows), [table], dy);
      const expected = new Float32Array(21);
      const [inner, outer, values] = [ids.dataSync(), rows.dataSync(), dy.dataSync()];
      values.forEach((value, i) => {
        expected[inner[outer[Math.floor(i / 3)]] * 3 + (i % 3)] += value;
      });
      expectClose(through, expected, 1e-6);
    });
  });
});

it('registering twice does nothing', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  registerKernels('cpu');
  registerKernels('cpu');
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});
