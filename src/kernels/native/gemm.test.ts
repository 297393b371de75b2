import { setBackend, tensor2d } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../random';
import { packWeight as roundWeight } from '../reference/pack-weight';
import { type Form, kernelForms, place, space } from '../testing/forms';
import type { KernelLibrary } from './library';

interface Product {
  m: number;
  n: number;
  k: number;
  batch: number;
}

const random = new Random(1);
const sizes = [1, 3, 5, 7, 13, 17, 33, 65, 129, 257];
const shapes: Product[] = [
  ...Array.from({ length: 36 }, () => ({
    m: random.pick(sizes),
    n: random.pick(sizes),
    k: random.pick(sizes),
    batch: 1,
  })),
  { m: 1, n: 257, k: 257, batch: 1 },
  { m: 128, n: 70, k: 300, batch: 1 },
  { m: 129, n: 70, k: 520, batch: 1 },
  { m: 3, n: 1100, k: 17, batch: 1 },
  { m: 300, n: 40, k: 65, batch: 1 },
  { m: 13, n: 17, k: 33, batch: 7 },
  { m: 0, n: 5, k: 3, batch: 1 },
  { m: 5, n: 3, k: 0, batch: 2 },
];

const noise = (n: number) => Float32Array.from({ length: n }, () => 2 * random.uniform() - 1);

/** [rows, columns] -> [columns, rows], for each matrix of a batch. */
function transpose(x: Float32Array, rows: number, columns: number): Float32Array {
  const area = rows * columns;
  return x.map((_, i) => {
    const [item, column, row] = [area && Math.floor(i / area), Math.floor((i % area) / rows), (i % area) % rows];
    return x[item * area + row * columns + column];
  });
}

function plainProduct(a: Float32Array, b: Float32Array, { m, n, k, batch }: Product): Float64Array {
  const c = new Float64Array(batch * m * n);
  for (let item = 0; item < batch; item++)
    for (let i = 0; i < m; i++)
      for (let p = 0; p < k; p++) {
        const x = a[(item * m + i) * k + p];
        for (let j = 0; j < n; j++) c[(item * m + i) * n + j] += x * b[(item * k + p) * n + j];
      }
  return c;
}

function gemm(
  library: KernelLibrary,
  a: Float32Array,
  b: Float32Array,
  c: Float32Array,
  shape: Product,
  flags = [0, 0, 0],
) {
  const { m, n, k, batch } = shape;
  const [transposeA, transposeB, accumulate] = flags;
  library.kernels.gemm(a, b, c, transposeA, transposeB, batch, m, n, k, m * k, k * n, accumulate);
}

/** NaN where anything is NaN. */
function largestError(got: Float32Array, wanted: Float64Array): number {
  return wanted.reduce((worst, value, i) => Math.max(worst, Math.abs(got[i] - value)), 0);
}

describe('gemm', () => {
  let forms: Form[];
  beforeAll(async () => {
    await setBackend('cpu');
    forms = await kernelForms();
  });

  test('equals a double-precision loop for all shapes and transposes, with the same bytes from three threads', () => {
    for (const shape of shapes) {
      const { m, n, k, batch } = shape;
      const [a, b] = [noise(batch * m * k), noise(batch * k * n)];
      const wanted = plainProduct(a, b, shape);
      const [aT, bT] = [transpose(a, m, k), transpose(b, k, n)];
      for (const { name, one, three } of forms) {
        for (const [transposeA, transposeB] of [
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 1],
        ]) {
          const [first, second] = [one, three].map((library) => {
            const c = space(library, batch * m * n);
            const [left, right] = [place(library, transposeA ? aT : a), place(library, transposeB ? bT : b)];
            gemm(library, left, right, c, shape, [transposeA, transposeB, 0]);
            return c;
          });
          const what = `${name} ${JSON.stringify(shape)} ${transposeA}${transposeB}`;
          expect(largestError(first, wanted), what).toBeLessThanOrEqual(1e-6 * Math.sqrt(k) + 1e-7 * k);
          expect(Buffer.compare(bytes(first), bytes(second)), `${what}: threads`).toBe(0);
        }
      }
    }
  });

  test('adds to what is there when asked to', () => {
    const shape = { m: 33, n: 37, k: 300, batch: 2 };
    const [a, b, before] = [noise(2 * 33 * 300), noise(2 * 300 * 37), noise(2 * 33 * 37)];
    const wanted = plainProduct(a, b, shape).map((value, i) => value + before[i]);
    for (const { name, three } of forms) {
      const c = place(three, before);
      gemm(three, place(three, a), place(three, b), c, shape, [0, 0, 1]);
      expect(largestError(c, wanted), name).toBeLessThan(5e-5);
    }
  });

  test('a stride of 0 shares one matrix over the batch', () => {
    const [m, n, k, batch] = [5, 6, 7, 3];
    const [a, b] = [noise(batch * m * k), noise(k * n)];
    const shared = Float32Array.from({ length: batch * k * n }, (_, i) => b[i % (k * n)]);
    const wanted = plainProduct(a, shared, { m, n, k, batch });
    for (const { name, one } of forms) {
      const c = space(one, batch * m * n);
      one.kernels.gemm(place(one, a), place(one, b), c, 0, 0, batch, m, n, k, m * k, 0, 0);
      expect(largestError(c, wanted), name).toBeLessThan(1e-5);
    }
  });

  test('a row comes out the same, to the bit, whatever rows are computed with it', () => {
    const [n, k] = [70, 600];
    const [a, weight] = [noise(200 * k), noise(n * k)];
    for (const { name, three } of forms) {
      for (const transposeB of [0, 1]) {
        const b = place(three, weight);
        const products = [1, 2, 6, 50, 128, 200].map((m) => {
          const c = space(three, m * n);
          gemm(three, place(three, a.subarray(0, m * k)), b, c, { m, n, k, batch: 1 }, [0, transposeB, 0]);
          return bytes(c.subarray(0, n));
        });
        for (const other of products) expect(Buffer.compare(products[0], other), `${name} ${transposeB}`).toBe(0);
      }
    }
  });

  test('rounded to bfloat16 it multiplies the rounded factors, with the same bytes from three threads', () => {
    const rounded = (x: Float32Array) => {
      const weight = tensor2d(x, [1, x.length]);
      return roundWeight({ weight }, { precision: 'bfloat16' }).dataSync() as Float32Array;
    };
    for (const shape of shapes) {
      const { m, n, k, batch } = shape;
      const [a, b] = [noise(batch * m * k), noise(batch * k * n)];
      const wanted = plainProduct(rounded(a), rounded(b), shape);
      const bT = transpose(b, k, n);
      for (const { name, one, three } of forms) {
        for (const transposeB of [0, 1]) {
          const [first, second] = [one, three].map((library) => {
            const c = space(library, batch * m * n);
            library.kernels.round_products(1);
            gemm(library, place(library, a), place(library, transposeB ? bT : b), c, shape, [0, transposeB, 0]);
            library.kernels.round_products(0);
            return c;
          });
          const what = `${name} ${JSON.stringify(shape)} ${transposeB}`;
          expect(largestError(first, wanted), what).toBeLessThanOrEqual(1e-6 * Math.sqrt(k) + 1e-7 * k);
          expect(Buffer.compare(bytes(first), bytes(second)), `${what}: threads`).toBe(0);
        }
      }
    }
  });

  test('NaN and infinity go through', () => {
    const shape = { m: 9, n: 20, k: 40, batch: 1 };
    const [a, b] = [noise(9 * 40), noise(40 * 20)];
    a[3 * 40 + 7] = Number.NaN;
    a[4 * 40 + 39] = Number.POSITIVE_INFINITY;
    for (const { name, one } of forms)
      for (const round of [0, 1]) {
        one.kernels.round_products(round);
        const c = space(one, 9 * 20);
        gemm(one, place(one, a), place(one, b), c, shape);
        expect(c.subarray(60, 80).every(Number.isNaN), name).toBe(true);
        expect(
          c.subarray(80, 100).every((x) => Math.abs(x) === Number.POSITIVE_INFINITY),
          name,
        ).toBe(true);
        expect(c.subarray(0, 60).every(Number.isFinite), name).toBe(true);
        one.kernels.round_products(0);
      }
  });
});

const bytes = (x: Float32Array) => Buffer.from(x.buffer, x.byteOffset, x.byteLength);
