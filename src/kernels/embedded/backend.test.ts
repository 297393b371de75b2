import {
  add,
  addN,
  cast,
  concat,
  backend as currentBackend,
  divNoNan,
  engine,
  grad,
  keep,
  matMul,
  memory,
  mul,
  randomNormal,
  relu,
  type Scalar,
  scalar,
  slice,
  softmax,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  tensor,
  tensor1d,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { adamW, embed, glu, rmsNorm, rotate, seededDropout, sumSquares } from '../interface';
import { switchTo } from '../testing/backends';
import { expectClose } from '../testing/close';
import type { EmbeddedBackend } from './backend';

const embedded = ['embedded', 'embedded-wasm'] as const;
const backend = () => currentBackend() as EmbeddedBackend;

describe.each(embedded)('%s', (name) => {
  beforeEach(async () => {
    await switchTo(name);
  });

  test('data read from a tensor outlives it, and arrays passed in are never written to', () => {
    const mine = Float32Array.of(1, 2, 3, 4);
    const x = tensor1d(mine);
    const doubled = mul(x, 2);
    const read = doubled.dataSync();
    doubled.dispose();
    const others = Array.from({ length: 20 }, () => mul(x, 7));
    expect([...read]).toEqual([2, 4, 6, 8]);
    const [p, g, m, v] = [x, ...Array.from({ length: 3 }, () => tensor1d([1, 1, 1, 1]))];
    const options = { learningRate: 1, beta1: 0.9, beta2: 0.9, eps: 1e-8, weightDecay: 0, step: 1, gradScale: 1 };
    adamW([{ parameter: p, gradient: g, moment1: m, moment2: v }], options);
    expect([...mine]).toEqual([1, 2, 3, 4]);
    for (const other of others) other.dispose();
  });

  test("a slice, which tfjs makes as a part of its input's array, outlives the input", () => {
    const x = mul(tensor1d([1, 2, 3, 4, 5, 6]), 1);
    const part = slice(x, 2, 3);
    x.dispose();
    const others = Array.from({ length: 20 }, () => mul(tensor1d([9, 9, 9, 9, 9, 9]), 2));
    expect([...part.dataSync()]).toEqual([3, 4, 5]);
    for (const other of others) other.dispose();
  });

  test('a bias is added to each row, and its gradient sums them', () => {
    const [x, bias, weight] = [[4, 3], [3], [4, 3]].map((shape, i) => randomNormal(shape, 0, 1, 'float32', i));
    const loss = (b: Tensor) => {
      const y = add(x, b);
      return sum(mul(mul(y, y), weight)) as Scalar;
    };
    const gradient = grad(loss)(bias);
    const [xs, bs, ws] = [x, bias, weight].map((tensor) => tensor.dataSync());
    const wanted = [0, 1, 2].map((j) =>
      [0, 1, 2, 3].reduce((total, i) => total + 2 * (xs[3 * i + j] + bs[j]) * ws[3 * i + j], 0),
    );
    expectClose(gradient, wanted, 1e-5);
    expectClose(
      add(x, bias),
      Array.from(xs, (value, i) => value + bs[i % 3]),
      1e-6,
    );
    expectClose(
      sum(x, 0, true),
      [0, 1, 2].map((j) => xs[j] + xs[3 + j] + xs[6 + j] + xs[9 + j]),
      1e-5,
    );
  });

  test('kernels of the cpu backend take our tensors, and ours take theirs', () => {
    const x = randomNormal([5, 6], 0, 1, 'float32', 1) as Tensor2D;
    const ours = matMul(x, x, false, true);
    const theirs = concat([softmax(ours), relu(ours)]) as Tensor2D;
    const plain = tidy(() => {
      const a = x.arraySync();
      const product = a.map((row) => a.map((other) => row.reduce((s, value, i) => s + value * other[i], 0)));
      const weights = product.map((row) => {
        const exps = row.map(Math.exp);
        return exps.map((e) => e / exps.reduce((s, value) => s + value));
      });
      const stacked = [...weights, ...product.map((row) => row.map((value) => Math.max(0, value)))];
      return stacked.flatMap((row) => a[0].map((_, j) => row.reduce((s, value, i) => s + value * a[i][j], 0)));
    });
    expectClose(matMul(theirs, x), plain, 1e-5);
    expectClose(sum(cast(tensor([1, 0, 1], [3], 'bool'), 'float32')), [2], 0);
  });

  test('stock operations are right where shapes differ, types differ, or a batch is broadcast', () => {
    const [a, b] = [
      tensor2d([
        [1, 2],
        [3, 4],
      ]),
      tensor2d([[10, 20]]),
    ];
    expect(add(a, b).arraySync()).toEqual([
      [11, 22],
      [13, 24],
    ]);
    expect(sub(tensor1d([5, 7], 'int32'), tensor1d([1, 2], 'int32')).arraySync()).toEqual([4, 5]);
    expect(mul(scalar(3), a).arraySync()).toEqual([
      [3, 6],
      [9, 12],
    ]);
    expect(mul(a, scalar(3)).shape).toEqual([2, 2]);
    expect(mul(scalar(3), scalar(4)).arraySync()).toBe(12);
    expect(divNoNan(a, a).arraySync()).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(addN([a, a, a]).arraySync()).toEqual([
      [3, 6],
      [9, 12],
    ]);
    const batch = tensor([1, 0, 0, 1, 0, 1, 1, 0], [2, 2, 2]);
    expect(matMul(batch, a).arraySync()).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [
        [3, 4],
        [1, 2],
      ],
    ]);
  });

  test('an index out of range is refused, not followed', () => {
    const table = tensor2d([
      [1, 2],
      [3, 4],
    ]);
    expect(() => embed(table, tensor1d([0, 2], 'int32'))).toThrow(/Index 2 at place 1 is not within \[0, 2\)/);
    expect(() => embed(table, tensor1d([-1], 'int32'))).toThrow(/Index -1/);
    const rope = { positions: tensor1d([3], 'int32'), cos: tensor2d([[1]]), sin: tensor2d([[0]]) };
    expect(() => rotate(tensor2d([[1, 2]]), null, rope, 2)).toThrow(/Index 3 at place 0/);
  });

  test('a loop like training holds no more memory than its first round', () => {
    const [n, d] = [64, 32];
    const x = keep(randomNormal([n, d], 0, 1, 'float32', 2)) as Tensor2D;
    const norm = keep(tensor1d(new Float32Array(d).fill(1)));
    let weight = keep(randomNormal([d, d], 0, 0.1, 'float32', 3)) as Tensor;
    let [m, v] = [keep(mul(weight, 0)), keep(mul(weight, 0))];
    const update = (step: number) => {
      const gradient = tidy(() => {
        const loss = (w: Tensor) => {
          const h = matMul(rmsNorm(x, norm, { eps: 1e-6, offset: 0 }), w as Tensor2D, false, true) as Tensor2D;
          return sum(mul(seededDropout(glu(h, h, 'silu'), 0.1, step), h));
        };
        return engine().gradients(() => loss(weight), [weight]).grads[0];
      });
      sumSquares([gradient]).dispose();
      const options = { learningRate: 1e-3, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0, step, gradScale: 1 };
      const [next] = adamW([{ parameter: weight, gradient, moment1: m, moment2: v }], options);
      for (const old of [weight, m, v, gradient]) old.dispose();
      [weight, m, v] = [keep(next.parameter), keep(next.moment1), keep(next.moment2)];
    };
    for (let step = 1; step <= 3; step++) update(step);
    const before = { ...memory(), held: total(backend()) };
    for (let step = 4; step <= 40; step++) update(step);
    const after = { ...memory(), held: total(backend()) };
    expect(after.numTensors).toBe(before.numTensors);
    expect(after.numBytes).toBe(before.numBytes);
    expect(after.held).toBe(before.held);
  });
});

function total(of: EmbeddedBackend): number {
  const { used, idle } = of.library.memory.usage();
  return used + idle;
}
