import { expect, it } from 'vitest';
import { Random } from '../random';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half';

const every16 = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

const halfBits = (convert: (values: Float32Array, out: Uint16Array) => void, value: number) => {
  const out = new Uint16Array(1);
  convert(Float32Array.of(value), out);
  return out[0];
};

it.each([
  ['float16', fromFloat16, toFloat16],
  ['bfloat16', fromBfloat16, toBfloat16],
] as const)('gives every %s back unchanged', (_, from, to) => {
  const values = new Float32Array(65536);
  from(every16, values);
  const back = new Uint16Array(65536);
  to(values, back);
  for (let bits = 0; bits < 65536; bits++) {
    if (Number.isNaN(values[bits])) {
      const check = new Float32Array(1);
      from(back.subarray(bits, bits + 1), check);
      expect(check[0]).toBeNaN();
    } else if (back[bits] !== bits) expect.fail(`${bits} became ${back[bits]}`);
  }
});

it.each([
  ['float16', fromFloat16, toFloat16, 1e5],
  ['bfloat16', fromBfloat16, toBfloat16, 1e30],
] as const)('rounds to the nearest %s, ties to even', (_, from, to, range) => {
  const grid = new Float32Array(65536);
  from(every16, grid);
  const finite = [...grid].filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  const random = new Random(1);
  const back = new Float32Array(1);
  for (let trial = 0; trial < 500; trial++) {
    const value = Math.fround(random.normal() * range ** (2 * random.uniform() - 1));
    from(Uint16Array.of(halfBits(to, value)), back);
    const error = Math.abs(back[0] - value);
    let low = 0;
    let high = finite.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (finite[middle] <= value) low = middle;
      else high = middle;
    }
    const best = Math.min(Math.abs(finite[low] - value), Math.abs(finite[high] - value));
    if (Number.isFinite(back[0])) expect(error).toBe(best);
  }
});

it('rounds halfway cases to even and overflows to infinity as IEEE 754 says', () => {
  expect(halfBits(toFloat16, 1 + 2 ** -11)).toBe(0x3c00);
  expect(halfBits(toFloat16, 1 + 3 * 2 ** -11)).toBe(0x3c02);
  expect(halfBits(toFloat16, 65504)).toBe(0x7bff);
  expect(halfBits(toFloat16, 65519)).toBe(0x7bff);
  expect(halfBits(toFloat16, 65520)).toBe(0x7c00);
  expect(halfBits(toFloat16, -(2 ** -25))).toBe(0x8000);
  expect(halfBits(toFloat16, 2 ** -24)).toBe(1);
  expect(halfBits(toBfloat16, 1 + 2 ** -8)).toBe(0x3f80);
  expect(halfBits(toBfloat16, 1 + 3 * 2 ** -8)).toBe(0x3f82);
  expect(halfBits(toBfloat16, 3.4e38)).toBe(0x7f80);
});
