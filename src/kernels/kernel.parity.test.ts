import { matMul, type Tensor, type Tensor1D, type Tensor2D, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, it } from 'vitest';
import { activations } from '../student-files/layer-spec';
import {
  adaptedLinear,
  attend,
  embed,
  glu,
  rmsNorm,
  rotate,
  seededDropout,
  sumSquares,
  tokenLogProbs,
} from './interface';
import { backendNames, switchTo } from './testing/backends';
import { expectClose } from './testing/close';
import { tapeGradients } from './testing/gradient';
import { positionsOf, randomIds, randomTensor, ropeTables, startsOf } from './testing/random';

/**
 * A kernel with some of its inputs random: the rest is drawn inside. Outputs and gradients are compared, all of them.
 */
interface Case {
  name: string;
  shapes: number[][];
  kernel: (...inputs: Tensor[]) => Tensor[];
  /** Largest relative error; 1e-5 when not given. */
  tolerance?: number;
}

const lengths = [1, 2, 31, 65];
const n = 99;

function rotateCase(heads: number, headDim: number): Case {
  const rope = () => ({ positions: positionsOf(lengths), ...ropeTables(65, headDim) });
  return {
    name: `rotate, ${heads} heads of ${headDim}`,
    shapes: [[n, heads * headDim], [heads * headDim]],
    kernel: (x, bias) => [rotate(x as Tensor2D, bias as Tensor1D, rope(), headDim)],
  };
}

function adaptedLinearCase(inner: number, outer: number, rank: number, dropout: number): Case {
  const weight = () => randomTensor(70, [outer, inner]) as Tensor2D;
  const how = { scale: 0.5, dropout, seed: 7 };
  return {
    name: `adaptedLinear, ${inner} to ${outer}, rank ${rank}, dropout ${dropout}`,
    shapes: [
      [n, inner],
      [rank, inner],
      [outer, rank],
    ],
    kernel: (...[x, a, b]: Tensor[]) => [adaptedLinear(x as Tensor2D, weight(), a as Tensor2D, b as Tensor2D, how)],
    tolerance: 2e-5,
  };
}

function attendCase(
  heads: number,
  kvHeads: number,
  headDim: number,
  { sequences = lengths, window }: { sequences?: number[]; window?: number } = {},
): Case {
  const total = sequences.reduce((sum, length) => sum + length, 0);
  return {
    name: `attend, ${heads} heads on ${kvHeads} of ${headDim}, lengths ${sequences}, window ${window}`,
    shapes: [heads, kvHeads, kvHeads].map((count) => [total, count * headDim]),
    kernel: (q, k, v) => {
      const shape = { heads, kvHeads, headDim, scale: headDim ** -0.5, window };
      return [
        attend(q as Tensor2D, k as Tensor2D, v as Tensor2D, { starts: startsOf(sequences), parents: null }, shape),
      ];
    },
    tolerance: 5e-5,
  };
}

function tokenLogProbsCase(rows: number, d: number, vocab: number, temperature: number): Case {
  return {
    name: `tokenLogProbs, ${rows} tokens of ${d}, ${vocab} words`,
    shapes: [
      [rows, d],
      [vocab, d],
    ],
    kernel: (hidden, weight) => {
      const ids = randomIds(1, rows, vocab);
      const { logProbs, entropy } = tokenLogProbs(hidden as Tensor2D, weight as Tensor2D, ids, temperature);
      return [logProbs, entropy];
    },
    tolerance: 5e-5,
  };
}

const widths = [5, 33, 130];
const cases: Case[] = [
  ...widths.map((d) => ({
    name: `embed, width ${d}`,
    shapes: [[513, d]],
    kernel: (table: Tensor) => [embed(table as Tensor2D, randomIds(2, n, 513))],
  })),
  ...widths.flatMap((d) =>
    [0, 1].map((offset) => ({
      name: `rmsNorm, width ${d}, offset ${offset}`,
      shapes: [[n, d], [d]],
      kernel: (...[x, weight]: Tensor[]) => [rmsNorm(x as Tensor2D, weight as Tensor1D, { eps: 1e-6, offset })],
    })),
  ),
  ...widths.flatMap((d) =>
    activations.map((activation) => ({
      name: `glu by ${activation}, width ${d}`,
      shapes: [
        [n, d],
        [n, d],
      ],
      kernel: (...[gate, up]: Tensor[]) => [glu(gate as Tensor2D, up as Tensor2D, activation)],
    })),
  ),
  {
    name: 'seededDropout',
    shapes: [[n, 130]],
    kernel: (x) => [seededDropout(x, 0.1, 0x7fffffff), seededDropout(x, 1 / 3, 0)],
  },
  adaptedLinearCase(5, 33, 1, 0),
  adaptedLinearCase(130, 33, 16, 0),
  adaptedLinearCase(33, 130, 7, 0.3),
  rotateCase(3, 6),
  rotateCase(1, 32),
  rotateCase(2, 34),
  attendCase(4, 2, 6),
  attendCase(2, 1, 32),
  attendCase(3, 3, 34),
  attendCase(6, 1, 6, { sequences: [130] }),
  attendCase(4, 2, 6, { window: 2 }),
  attendCase(4, 2, 6, { window: 20 }),
  attendCase(2, 1, 34, { sequences: [130, 3, 200], window: 70 }),
  attendCase(1, 1, 34, { sequences: Array.from({ length: 40 }, (_, i) => 1 + (i % 3)) }),
  tokenLogProbsCase(n, 5, 7, 0.7),
  tokenLogProbsCase(n, 33, 513, 1),
  tokenLogProbsCase(31, 130, 513, 1.3),
  tokenLogProbsCase(260, 3, 2060, 1), // beyond one chunk of rows, and of words
  ...(
    [
      [65, 33, 31],
      [1, 130, 513],
      [130, 1, 5],
    ] as const
  ).flatMap(([m, k, columns]) =>
    [false, true].map((transposed) => ({
      name: `matMul ${m} x ${k} x ${columns}${transposed ? ', b transposed' : ''}`,
      shapes: [[m, k], transposed ? [columns, k] : [k, columns]],
      kernel: (...[a, b]: Tensor[]) => [matMul(a, b, false, transposed)],
    })),
  ),
];

/** Outputs of a case and the gradients of its first one, as numbers of the current backend. */
function resultsOf({ shapes, kernel }: Case): { what: string; values: ArrayLike<number> }[] {
  return tidy(() => {
    const inputs = shapes.map((shape, i) => randomTensor(80 + i, shape as [number]));
    const outputs = kernel(...inputs);
    const dy = randomTensor(90, outputs[0].shape as [number]);
    const grads = tapeGradients(() => kernel(...inputs)[0], inputs, dy);
    return [
      ...outputs.map((output, i) => ({ what: `output ${i}`, values: output.dataSync() })),
      ...grads.map((grad, i) => ({ what: `gradient of input ${i}`, values: grad.dataSync() })),
    ];
  });
}

const [reference, ...accelerated] = backendNames;
const known = new Map<string, ReturnType<typeof resultsOf>>();

/** What the reference gives; leaves it as the current backend if it was not known yet. */
async function expectedOf(one: Case): Promise<ReturnType<typeof resultsOf>> {
  if (!known.has(one.name)) {
    await switchTo(reference);
    known.set(one.name, resultsOf(one));
  }
  return known.get(one.name)!;
}

describe.each(accelerated)(`%s against ${reference}`, (backendName) => {
  beforeAll(() => switchTo(backendName));

  it.each(cases)('$name', async (one) => {
    const expected = await expectedOf(one);
    await switchTo(backendName);
    const again = resultsOf(one);
    resultsOf(one).forEach(({ what, values }, i) => {
      expectClose(values, expected[i].values, one.tolerance ?? 1e-5, { what });
      expectClose(values, again[i].values, 0, { what: `${what}, the second time` });
    });
  });

  it('sums squares over more elements than one thread takes', async () => {
    const total = () => tidy(() => sumSquares([randomTensor(1, [333, 333]), randomTensor(2, [5])]).dataSync()[0]);
    const here = total();
    await switchTo(reference);
    const there = total();
    await switchTo(backendName);
    expectClose([here], [there], 1e-5);
  });
});
