import { beforeAll, describe, expect, test } from 'vitest';
import { bits, Random } from '../../random';
import { type Form, kernelForms, place, space } from '../testing/forms';
import {
  type AnyKernel,
  type KernelArgument,
  type KernelLibrary,
  type KernelName,
  kernelList,
  type Values,
} from './library';

const random = new Random(2);
const noise = (n: number) => Float32Array.from({ length: n }, () => random.normal());
const integers = (n: number, below: number) => Int32Array.from({ length: n }, () => random.integer(0, below - 1));
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/**
 * An output of so many floats; its expected contents; or data that the kernel reads (and, given `becomes`, changes).
 */
type Slot = KernelArgument | { wanted: ArrayLike<number> } | { data: Float32Array; becomes: ArrayLike<number> };

interface Case {
  what: string;
  kernel: KernelName;
  slots: Slot[];
  tolerance?: number;
}

// Odd sizes, and more elements than one part (16384) holds, so that parts and tails are met.
const [n, d] = [403, 77];
const long = 40_003;
const [a, b] = [noise(long), noise(long)];
const [table, ids] = [noise(19 * d), integers(n, 19)];
const [x, dy, weight] = [noise(n * d), noise(n * d), noise(d)];

const operations = [
  (p: number, q: number) => p + q,
  (p: number, q: number) => p - q,
  (p: number, q: number) => p * q,
  (p: number, q: number) => p / q,
];

function normed(eps: number) {
  const rstd = Float64Array.from({ length: n }, (_, row) => {
    let squares = 0;
    for (let i = 0; i < d; i++) squares += x[row * d + i] ** 2;
    return 1 / Math.sqrt(squares / d + eps);
  });
  const y = Float64Array.from(x, (value, i) => value * rstd[Math.floor(i / d)] * weight[i % d]);
  return { rstd, y };
}

function normGradient(rstd: ArrayLike<number>) {
  const dx = new Float64Array(n * d);
  const dWeight = new Float64Array(d);
  for (let row = 0; row < n; row++) {
    let mean = 0;
    for (let i = row * d; i < row * d + d; i++) mean += (dy[i] * weight[i % d] * x[i] * rstd[row]) / d;
    for (let i = row * d; i < row * d + d; i++) {
      dx[i] = rstd[row] * (dy[i] * weight[i % d] - x[i] * rstd[row] * mean);
      dWeight[i % d] += dy[i] * x[i] * rstd[row];
    }
  }
  return { dx, dWeight };
}

function embedGradient() {
  const dTable = new Float64Array(19 * d);
  for (let i = 0; i < n * d; i++) dTable[ids[Math.floor(i / d)] * d + (i % d)] += dy[i];
  return dTable;
}

function columnSums() {
  const sums = new Float64Array(d);
  for (let i = 0; i < n * d; i++) sums[i % d] += x[i];
  return sums;
}

function rotation(headDim: number, heads: number) {
  const [rows, width, half] = [211, heads * headDim, headDim / 2];
  const positions = integers(rows, 50);
  const angles = Float64Array.from({ length: 50 * half }, (_, i) => Math.floor(i / half) * 100 ** (-(i % half) / half));
  const [cos, sin] = [Float32Array.from(angles, Math.cos), Float32Array.from(angles, Math.sin)];
  const [from, bias] = [noise(rows * width), noise(width)];
  const turn = (input: ArrayLike<number>, added: ArrayLike<number> | null, sign: number) =>
    Float64Array.from({ length: rows * width }, (_, i) => {
      const [row, column] = [Math.floor(i / width), i % width];
      const place = column % headDim;
      const at = positions[row] * half + (place % half);
      const value = (j: number) => input[row * width + j] + (added ? added[j] : 0);
      return place < half
        ? value(column) * cos[at] - sign * value(column + half) * sin[at]
        : value(column) * cos[at] + sign * value(column - half) * sin[at];
    });
  const back = turn(from, null, -1);
  const dBias = new Float64Array(width);
  back.forEach((value, i) => {
    dBias[i % width] += value;
  });
  const [tables, shape] = [
    [positions, cos, sin],
    [rows, heads, headDim],
  ];
  return { from, bias, tables, shape, biased: turn(from, bias, 1), plain: turn(from, null, 1), back, dBias };
}

function adam() {
  const options = [3e-3, 0.9, 0.99, 1e-8, 0.1, 1 - 0.9 ** 3, 1 - 0.99 ** 3, 0.5];
  const [lr, beta1, beta2, eps, decay, correction1, correction2, gradScale] = options;
  const [p, g, m, v] = [noise(long), noise(long), noise(long), noise(long).map(Math.abs)];
  const m2 = Float64Array.from(m, (value, i) => beta1 * value + (1 - beta1) * gradScale * g[i]);
  const v2 = Float64Array.from(v, (value, i) => beta2 * value + (1 - beta2) * (gradScale * g[i]) ** 2);
  const p2 = Float64Array.from(
    p,
    (value, i) => value * (1 - lr * decay) - ((lr / correction1) * m2[i]) / (Math.sqrt(v2[i] / correction2) + eps),
  );
  return [{ data: p, becomes: p2 }, g, { data: m, becomes: m2 }, { data: v, becomes: v2 }, long, ...options];
}

const { rstd, y } = normed(1e-5);
const rstd32 = Float32Array.from(rstd);
const { dx, dWeight } = normGradient(rstd32);
const odd = rotation(14, 3);
const even = rotation(64, 4);
const squares = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value * value, 0);

const cases: Case[] = [
  ...operations.map(
    (f, op): Case => ({
      what: `binary ${op}`,
      kernel: 'binary',
      slots: [op, a, b, { wanted: Float64Array.from(a, (value, i) => f(value, b[i])) }, long],
    }),
  ),
  {
    what: 'add_n',
    kernel: 'add_n',
    slots: [{ wanted: Float64Array.from(a, (value, i) => 2 * value + b[i]) }, long, 3, a, b, a],
  },
  { what: 'scale', kernel: 'scale', slots: [a, { wanted: a.map((value) => value * 0.25) }, long, 0.25] },
  {
    what: 'embed',
    kernel: 'embed',
    slots: [table, ids, { wanted: x.map((_, i) => table[ids[Math.floor(i / d)] * d + (i % d)]) }, n, d],
    tolerance: 0,
  },
  { what: 'embed_grad', kernel: 'embed_grad', slots: [dy, ids, { wanted: embedGradient() }, n, d, 19] },
  {
    what: 'add_rows',
    kernel: 'add_rows',
    slots: [x, weight, { wanted: x.map((value, i) => value + weight[i % d]) }, n, d],
    tolerance: 0,
  },
  { what: 'sum_rows', kernel: 'sum_rows', slots: [x, { wanted: columnSums() }, n, d] },
  { what: 'rms_norm', kernel: 'rms_norm', slots: [x, weight, { wanted: y }, { wanted: rstd }, n, d, 1e-5, 0] },
  {
    what: 'rms_norm_grad',
    kernel: 'rms_norm_grad',
    slots: [dy, x, weight, rstd32, { wanted: dx }, { wanted: dWeight }, n, d, 0],
  },
  ...[odd, even].flatMap(({ from, bias, tables, shape, ...wanted }): Case[] => [
    { what: 'rotate', kernel: 'rotate', slots: [from, bias, ...tables, { wanted: wanted.biased }, ...shape] },
    { what: 'rotate, no bias', kernel: 'rotate', slots: [from, null, ...tables, { wanted: wanted.plain }, ...shape] },
    {
      what: 'rotate_grad',
      kernel: 'rotate_grad',
      slots: [from, ...tables, { wanted: wanted.back }, { wanted: wanted.dBias }, ...shape],
    },
    {
      what: 'rotate_grad, no bias',
      kernel: 'rotate_grad',
      slots: [from, ...tables, { wanted: wanted.back }, null, ...shape],
    },
  ]),
  {
    what: 'glu',
    kernel: 'glu',
    slots: [a, b, { wanted: Float64Array.from(a, (gate, i) => gate * sigmoid(gate) * b[i]) }, long, 0],
  },
  {
    what: 'glu_grad',
    kernel: 'glu_grad',
    slots: [
      a,
      b,
      a,
      { wanted: Float64Array.from(a, (g, i) => g * a[i] * sigmoid(b[i]) * (1 + b[i] * (1 - sigmoid(b[i])))) },
      { wanted: Float64Array.from(a, (g, i) => g * b[i] * sigmoid(b[i])) },
      long,
      0,
    ],
  },
  ...[0.1, 0.5, 0.999].map(
    (rate): Case => ({
      what: `dropout ${rate}`,
      kernel: 'dropout',
      slots: [
        a,
        { wanted: a.map((value, i) => (bits(77, i) >= rate * 2 ** 32 ? value / (1 - rate) : 0)) },
        long,
        rate,
        77,
      ],
    }),
  ),
  {
    what: 'sum_squares',
    kernel: 'sum_squares',
    slots: [{ wanted: [squares(a) + squares(x)] }, 2, a, long, x, x.length],
  },
  { what: 'adam_w', kernel: 'adam_w', slots: adam() },
];

function run(library: KernelLibrary, { kernel, slots }: Case) {
  const outputs: { got: Float32Array; wanted: ArrayLike<number> }[] = [];
  const args = slots.map((slot): KernelArgument => {
    if (slot === null || typeof slot === 'number') return slot;
    if (ArrayBuffer.isView(slot)) return place(library, slot as Values);
    const got = 'data' in slot ? place(library, slot.data) : space(library, slot.wanted.length);
    outputs.push({ got, wanted: 'data' in slot ? slot.becomes : slot.wanted });
    return got;
  });
  (library.kernels[kernel] as AnyKernel)(...args);
  return outputs;
}

describe('kernels over rows and elements', () => {
  let forms: Form[];
  beforeAll(async () => {
    forms = await kernelForms();
  });

  test.each(cases)('$what equals double precision, with the same bytes from three threads', (item) => {
    for (const { name, one, three } of forms) {
      const [alone, shared] = [run(one, item), run(three, item)];
      alone.forEach(({ got, wanted }, output) => {
        const scale = Array.from(wanted).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        let worst = 0;
        for (let i = 0; i < got.length; i++) {
          const allowed = item.kernel === 'binary' ? Math.abs(wanted[i]) : scale;
          const error = Math.abs(got[i] - wanted[i]) / (allowed || 1);
          if (!(error <= worst)) worst = error;
        }
        expect(worst, `${name}, output ${output}`).toBeLessThanOrEqual(item.tolerance ?? 2e-6);
        expect(Buffer.compare(bytes(got), bytes(shared[output].got)), `${name}, output ${output}: threads`).toBe(0);
      });
    }
  });

  test('NaN is not lost on the way', () => {
    const hurt = a.slice();
    hurt[long - 1] = Number.NaN;
    hurt[5] = Number.NaN;
    for (const { one } of forms) {
      const [p, q, out] = [place(one, hurt), place(one, b), space(one, long)];
      for (const [gate, up] of [
        [p, q],
        [q, p],
      ]) {
        one.kernels.glu(gate, up, out, long, 0);
        expect([out[5], out[long - 1]]).toEqual([Number.NaN, Number.NaN]);
        expect(out.filter(Number.isNaN)).toHaveLength(2);
      }
      const total = space(one, 1);
      one.kernels.sum_squares(total, 1, [[p, long]]);
      expect(total[0]).toBeNaN();
    }
  });

  test('an empty input is allowed', () => {
    for (const { one } of forms) {
      const none = space(one, 0);
      one.kernels.binary(0, none, none, none, 0);
      one.kernels.rms_norm(none, place(one, weight), none, none, 0, d, 1e-5, 0);
      const total = space(one, 1);
      one.kernels.sum_squares(total, 1, [[none, 0]]);
      expect(total[0]).toBe(0);
    }
  });

  test('every kernel of the list is there', () => {
    for (const { one } of forms) expect(Object.keys(one.kernels)).toEqual([...kernelList]);
  });
});

const bytes = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
