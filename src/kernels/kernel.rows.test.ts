import {
  dispose,
  ones,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { bits } from '../random';
import { activations } from '../student-files/layer-spec';
import { embed, glu, rmsNorm, rotate, seededDropout, sumSquares } from './interface';
import { backendNames, switchTo } from './testing/backends';
import { expectClose } from './testing/close';
import { expectGradients, tapeGradients } from './testing/gradient';
import { plainEmbed, plainGlu, plainRmsNorm, plainRotate } from './testing/plain';
import { positionsOf, randomIds, randomTensor, ropeTables } from './testing/random';

// Rows and widths that no vector or tile length divides.
const shapes = [
  [1, 5],
  [2, 33],
  [31, 130],
  [65, 64],
] as const;

describe.each(backendNames)('on %s', (backendName) => {
  beforeAll(() => switchTo(backendName));

  describe('embed', () => {
    it.each([
      [3, 5, 2],
      [65, 33, 7],
      [31, 130, 513],
    ])('takes %i rows of width %i from a table of %i', (n, d, vocab) => {
      tidy(() => {
        const table = randomTensor(1, [vocab, d]) as Tensor2D;
        const ids = randomIds(2, n, vocab);
        const plain = (values: Float64Array) => plainEmbed(values, ids.dataSync(), d);
        expectClose(embed(table, ids), plain(Float64Array.from(table.dataSync())), 0);
        expectGradients({ kernel: (t) => embed(t as Tensor2D, ids), plain }, [table]);
      });
    });

    it('adds up the gradients of a row that is used more than once', () => {
      tidy(() => {
        const table = randomTensor(1, [3, 2]) as Tensor2D;
        const ids = tensor1d([2, 0, 2, 2], 'int32');
        const dy = randomTensor(2, [4, 2]);
        const [a, b, c, d, e, f, g, h] = dy.dataSync();
        const [dTable] = tapeGradients(() => embed(table, ids), [table], dy);
        expectClose(dTable, [c, d, 0, 0, a + e + g, b + f + h], 1e-6);
      });
    });
  });

  describe('rmsNorm', () => {
    it.each(shapes)('divides %i rows of %i by their root mean square', (n, d) => {
      tidy(() => {
        const inputs = [randomTensor(3, [n, d]), randomTensor(4, [d])];
        const plain = (x: Float64Array, weight: Float64Array) => plainRmsNorm(x, weight, 1e-6);
        const kernel = (...[x, weight]: typeof inputs) =>
          rmsNorm(x as Tensor2D, weight as Tensor1D, { eps: 1e-6, offset: 0 });
        expectClose(kernel(...inputs), plainRmsNorm(inputs[0].dataSync(), inputs[1].dataSync(), 1e-6), 1e-5);
        expectGradients({ kernel, plain }, inputs);
        const offset = {
          kernel: (...[t, w]: typeof inputs) => rmsNorm(t as Tensor2D, w as Tensor1D, { eps: 1e-6, offset: 1 }),
          plain: (t: Float64Array, w: Float64Array) =>
            plainRmsNorm(
              t,
              w.map((value) => value + 1),
              1e-6,
            ),
        };
        expectGradients(offset, inputs);
      });
    });

    it('gives zeros for a row of zeros', () => {
      tidy(() => {
        const y = rmsNorm(randomTensor(1, [2, 8], 0) as Tensor2D, randomTensor(2, [8]) as Tensor1D, {
          eps: 1e-6,
          offset: 0,
        });
        expect([...y.dataSync()].every((value) => value === 0)).toBe(true);
      });
    });
  });

  describe('rotate', () => {
    it.each([
      [[1], 1, 6],
      [[5, 1, 25], 3, 34],
      [[31, 2, 32], 2, 32],
    ])('turns heads of sequences of lengths %j: %i heads of %i', (lengths, heads, headDim) => {
      tidy(() => {
        const n = lengths.reduce((total, length) => total + length, 0);
        const rope = { positions: positionsOf(lengths), ...ropeTables(40, headDim) };
        const tables = { positions: rope.positions.dataSync(), cos: rope.cos.dataSync(), sin: rope.sin.dataSync() };
        const x = randomTensor(5, [n, heads * headDim]);
        const bias = randomTensor(6, [heads * headDim]);
        const biased = {
          kernel: (...[t, b]: (typeof x)[]) => rotate(t as Tensor2D, b as Tensor1D, rope, headDim),
          plain: (t: Float64Array, b: Float64Array) => plainRotate(t, b, tables, headDim),
        };
        const bare = {
          kernel: (t: typeof x) => rotate(t as Tensor2D, null, rope, headDim),
          plain: (t: Float64Array) => plainRotate(t, null, tables, headDim),
        };
        expectClose(biased.kernel(x, bias), plainRotate(x.dataSync(), bias.dataSync(), tables, headDim), 1e-5);
        expectClose(bare.kernel(x), plainRotate(x.dataSync(), null, tables, headDim), 1e-5);
        expectGradients(biased, [x, bias]);
        expectGradients(bare, [x]);
      });
    });
  });

  describe.each(activations)('glu by %s', (activation) => {
    it.each(shapes)('gates %i rows of %i', (n, d) => {
      tidy(() => {
        const inputs = [randomTensor(7, [n, d], 3), randomTensor(8, [n, d])];
        const kernel = (...[gate, up]: Tensor[]) => glu(gate as Tensor2D, up as Tensor2D, activation);
        const plain = (gate: ArrayLike<number>, up: ArrayLike<number>) => plainGlu(gate, up, activation);
        expectClose(kernel(...inputs), plain(inputs[0].dataSync(), inputs[1].dataSync()), 1e-5);
        expectGradients({ kernel, plain }, inputs);
      });
    });

    it('stays finite far from zero', () => {
      tidy(() => {
        const gate = tensor2d([[-1000, -100, 100, 1000]]);
        expectClose(glu(gate, ones([1, 4]), activation), [0, 0, 100, 1000], 1e-6);
      });
    });
  });

  describe('seededDropout', () => {
    const kept = (i: number, rate: number, seed: number) => bits(seed, i) / 2 ** 32 >= rate;

    it.each([0.1, 0.5, 0.9])('keeps, at rate %f, what the hash of seed and index says', (rate) => {
      tidy(() => {
        const x = randomTensor(9, [31, 33]);
        const expected = x.dataSync().map((value, i) => (kept(i, rate, 1234) ? value / (1 - rate) : 0));
        expectClose(seededDropout(x, rate, 1234), expected, 1e-6);
      });
    });

    it('drops the same places in the gradient, and about the share that the rate says', () => {
      tidy(() => {
        const x = randomTensor(10, [65, 130]);
        const dy = randomTensor(11, [65, 130]);
        const [dx] = tapeGradients(() => seededDropout(x, 0.3, 7), [x], dy);
        expectClose(
          dx,
          dy.dataSync().map((value, i) => (kept(i, 0.3, 7) ? value / 0.7 : 0)),
          1e-6,
        );
        const share = dx.dataSync().filter((value) => value === 0).length / x.size;
        expect(Math.abs(share - 0.3)).toBeLessThan(0.02); // four standard deviations
      });
    });

    it('is the identity at rate 0', () => {
      const x = randomTensor(12, [3]);
      expect(seededDropout(x, 0, 1)).toBe(x);
      dispose(x);
    });
  });

  it('sumSquares adds over tensors of any shape', () => {
    tidy(() => {
      const tensors = [randomTensor(13, [65, 33]), randomTensor(14, [7]), randomTensor(15, [1])];
      const expected = tensors.flatMap((x) => [...x.dataSync()]).reduce((total, value) => total + value * value, 0);
      const total = sumSquares(tensors);
      expect(total.shape).toEqual([]);
      expectClose(total, [expected], 1e-5);
    });
  });
});
