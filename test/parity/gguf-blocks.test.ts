import { expect, it } from 'vitest';
import { dequantize } from '../../src/student-files/gguf/dequantize';
import type { TensorTypeName } from '../../src/student-files/gguf/types';
import { quantize8 } from '../../src/student-files/gguf/write';
import { readFixture } from './fixtures';

const cases = readFixture<Record<string, { raw: string; values: string }>>('gguf-blocks.json');
const floats = (base64: string) => new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);

it.each(Object.entries(cases))('%s has the values that the gguf package gives', (type, { raw, values }) => {
  const expected = floats(values);
  const out = new Float32Array(expected.length);
  dequantize(type as TensorTypeName, Buffer.from(raw, 'base64'), out);
  expect(out).toEqual(expected);
});

it('gives Q8_0 back bit by bit when it is quantised again', () => {
  // Blocks whose largest quantum is 127, as a quantiser leaves them.
  const raw = Uint8Array.from(Buffer.from(cases.Q8_0.raw, 'base64'));
  for (let at = 0; at < raw.length; at += 34) {
    raw[at + 1] &= 0x7f; // a scale is positive
    for (let i = 2; i < 34; i++) if (raw[at + i] === 128) raw[at + i] = 129;
    raw[at + 2] = 127;
  }
  const values = new Float32Array((raw.length / 34) * 32);
  dequantize('Q8_0', raw, values);
  expect(Buffer.from(quantize8(values)).equals(Buffer.from(raw))).toBe(true);
});

it('quantises to Q8_0 with an error of at most half a step, and zeros to zeros', () => {
  const values = Float32Array.from({ length: 64 }, (_, i) => (i < 32 ? 0 : Math.sin(i) * 3));
  const back = new Float32Array(64);
  dequantize('Q8_0', quantize8(values), back);
  expect([...back.subarray(0, 32)]).toEqual(Array(32).fill(0));
  for (let i = 32; i < 64; i++) expect(Math.abs(back[i] - values[i])).toBeLessThan(3 / 127 / 2 + 3e-3);
});
