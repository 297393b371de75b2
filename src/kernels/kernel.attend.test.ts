import { type Tensor, type Tensor2D, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, it } from 'vitest';
import { type AttentionShape, attend } from './interface';
import { backendNames, switchTo } from './testing/backends';
import { expectClose } from './testing/close';
import { expectGradients } from './testing/gradient';
import { plainAttend } from './testing/plain';
import { randomTensor, startsOf } from './testing/random';

const shapeOf = (heads: number, kvHeads: number, headDim: number, window?: number): AttentionShape => ({
  heads,
  kvHeads,
  headDim,
  scale: 1 / Math.sqrt(headDim),
  window,
});

function caseOf(lengths: number[], shape: AttentionShape, deviation = 1, parents: number[] | null = null) {
  const n = lengths.reduce((total, length) => total + length, 0);
  const starts = startsOf(lengths);
  const sequences = { starts, parents: parents && tensor1d(parents, 'int32') };
  const offsets = { starts: starts.dataSync(), parents };
  const inputs = [shape.heads, shape.kvHeads, shape.kvHeads].map((heads, i) =>
    randomTensor(20 + i, [n, heads * shape.headDim], i < 2 ? deviation : 1),
  );
  return {
    inputs,
    kernel: (...[q, k, v]: Tensor[]) => attend(q as Tensor2D, k as Tensor2D, v as Tensor2D, sequences, shape),
    plain: (q: Float64Array, k: Float64Array, v: Float64Array) => plainAttend(q, k, v, offsets, shape),
    expected: () => {
      const [q, k, v] = inputs.map((input) => input.dataSync());
      return plainAttend(q, k, v, offsets, shape);
    },
  };
}

describe.each(backendNames)('attend on %s', (backendName) => {
  beforeAll(() => switchTo(backendName));

  it.each([
    { lengths: [1], heads: 1, kvHeads: 1, headDim: 6 },
    { lengths: [2, 31, 1], heads: 4, kvHeads: 2, headDim: 6 },
    { lengths: [31, 65], heads: 2, kvHeads: 2, headDim: 32 },
    { lengths: [65, 1, 2], heads: 3, kvHeads: 1, headDim: 34 },
    { lengths: [130], heads: 1, kvHeads: 1, headDim: 64 },
    { lengths: [31, 1, 5], heads: 2, kvHeads: 1, headDim: 6, window: 4 },
    { lengths: [150, 20], heads: 2, kvHeads: 1, headDim: 6, window: 70 },
    { lengths: [7, 9], heads: 1, kvHeads: 1, headDim: 6, window: 1 },
  ])('$lengths, $heads heads on $kvHeads of $headDim, window $window', ({ lengths, window, ...heads }) => {
    tidy(() => {
      const { inputs, kernel, plain, expected } = caseOf(
        lengths,
        shapeOf(heads.heads, heads.kvHeads, heads.headDim, window),
      );
      expectClose(kernel(...inputs), expected(), 1e-5);
      expectGradients({ kernel, plain }, inputs, { samples: 5 });
    });
  });

  it.each([
    { lengths: [3, 4, 2], parents: [-1, 0, 0], heads: 4, kvHeads: 2, headDim: 6 },
    { lengths: [2, 65, 3, 70, 1, 0], parents: [-1, -1, 1, 1, 0, 0], heads: 2, kvHeads: 1, headDim: 10 },
    { lengths: [2, 0, 3], parents: [-1, -1, 1], heads: 2, kvHeads: 1, headDim: 6 },
    { lengths: [9, 7, 3], parents: [-1, 0, 0], heads: 2, kvHeads: 1, headDim: 6, window: 4 },
    { lengths: [80, 140, 5], parents: [-1, 0, 0], heads: 1, kvHeads: 1, headDim: 6, window: 66 },
  ])(
    '$lengths, those with a parent ($parents) after that, window $window',
    ({ lengths, parents, window, ...heads }) => {
      tidy(() => {
        const shape = shapeOf(heads.heads, heads.kvHeads, heads.headDim, window);
        const { inputs, kernel, plain, expected } = caseOf(lengths, shape, 1, parents);
        expectClose(kernel(...inputs), expected(), 1e-5);
        expectGradients({ kernel, plain }, inputs, { samples: 5 });
      });
    },
  );

  it('a token sees no later token, and none of other sequences', () => {
    tidy(() => {
      const shape = shapeOf(2, 1, 6);
      const alone = caseOf([4], shape);
      const offsets = alone.inputs.map((x) => x.dataSync());
      const longer = caseOf([4, 3], shape); // the same first four rows: random numbers go by index
      const tail = longer.kernel(...longer.inputs).dataSync();
      expectClose(tail.slice(0, 4 * 12), alone.kernel(...alone.inputs), 1e-6);
      expectClose(longer.inputs[0].dataSync().slice(0, offsets[0].length), offsets[0], 0, {
        what: 'the premise that rows are shared',
      });
    });
  });

  it('holds with scores so far apart that exponentials overflow', () => {
    tidy(() => {
      const { inputs, kernel, plain, expected } = caseOf([17, 5], shapeOf(2, 1, 6), 12);
      expectClose(kernel(...inputs), expected(), 1e-4);
      expectGradients({ kernel, plain }, inputs, { tolerance: 2e-3 });
    });
  });
});
