import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { floatRows, floats, rows } from './encodings';

const ints = (...values: number[]) => Buffer.from(Int32Array.from(values).buffer).toString('base64');

describe('encodings', () => {
  it('unpacks what was packed, including empty rows and special values', () => {
    const tokens = [[1, 2, 150_000], [], [7]];
    expect(z.decode(rows, z.encode(rows, tokens))).toEqual(tokens);
    const values = [Float32Array.of(0.1, Number.NaN), new Float32Array(0), Float32Array.of(Number.NEGATIVE_INFINITY)];
    expect(z.decode(floatRows, z.encode(floatRows, values))).toEqual(values);
    expect(z.decode(floats, z.encode(floats, Float32Array.of(1, -2)))).toEqual(Float32Array.of(1, -2));
  });

  it('packs a part of a larger buffer as that part', () => {
    expect(z.encode(floats, Float32Array.of(1, 2, 3).subarray(1, 2))).toBe('AAAAQA==');
  });

  it.each([
    [{ lengths: ints(2), values: ints(1, 2, 3) }, 'the lengths of its rows add up to 2, but it has 3 values'],
    [{ lengths: ints(4, -1), values: ints(1, 2, 3) }, 'the lengths of its rows add up to NaN'],
    [{ lengths: 'AAAA', values: '' }, 'it has 3 bytes, which is not a multiple of 4'],
    [{ lengths: ints(1), values: '????' }, 'it is not base64'],
    [{ lengths: ints(1), values: 'AAA' }, 'it is not base64'],
  ])('refuses %j', (packed, message) => {
    expect(rows.safeParse(packed).error?.issues[0].message).toContain(message);
  });
});
