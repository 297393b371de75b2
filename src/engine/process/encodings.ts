/**
 * Array encodings of the engine protocol (docs/engine.md): base64 of little-endian float32 or int32; rows of different
 * lengths as one such array, with their lengths beside it.
 */
import { endianness } from 'node:os';
import * as z from 'zod';

type Numbers = Float32Array | Int32Array;

const floatsText = z.string().describe('float32 values: base64 of their little-endian bytes.');
const intsText = z.string().describe('int32 values: base64 of their little-endian bytes.');
const lengths = z.string().describe('The length of each row: int32, base64 of the little-endian bytes.');

/** float32 values in sequence. */
export const floats = z.codec(floatsText, z.custom<Float32Array>(), {
  encode: pack,
  decode: (text, { issues }) => orIssue(() => unpack(text, Float32Array), text, issues),
});

/** Token ids by row. */
export const rows = z.codec(z.object({ lengths, values: intsText }), z.custom<readonly (readonly number[])[]>(), {
  encode: (given) => packRows(given, Int32Array),
  decode: (text, { issues }) => orIssue(() => unpackRows(text, Int32Array).map((row) => Array.from(row)), text, issues),
});

/** A float32 value per token, by row. */
export const floatRows = z.codec(z.object({ lengths, values: floatsText }), z.custom<readonly Float32Array[]>(), {
  encode: (given) => packRows(given, Float32Array),
  decode: (text, { issues }) => orIssue(() => unpackRows(text, Float32Array), text, issues),
});

/** Prompts and their completions, by row. */
export const examples = z.object({
  prompts: rows.describe('Token ids of each prompt; at least one.'),
  completions: rows.describe('Token ids of each completion, including its end token if it was sampled.'),
});

const swapped = endianness() === 'BE';

/** The values' little-endian bytes as base64. */
function pack(values: Numbers): string {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return (swapped ? Buffer.from(bytes).swap32() : bytes).toString('base64');
}

/** Decodes such a text. @throws Error that describes what is wrong with it */
function unpack<T extends Numbers>(text: string, Kind: new (length: number) => T): T {
  const bytes = Buffer.from(text, 'base64');
  const padding = text.length - text.replace(/=+$/, '').length;
  if (text.length % 4 !== 0 || bytes.length !== (text.length / 4) * 3 - padding) throw new Error('it is not base64');
  if (bytes.length % 4 !== 0) throw new Error(`it has ${bytes.length} bytes, which is not a multiple of 4`);
  const values = new Kind(bytes.length / 4);
  Buffer.from(values.buffer).set(swapped ? bytes.swap32() : bytes);
  return values;
}

function packRows<T extends Numbers>(given: readonly ArrayLike<number>[], Kind: new (length: number) => T) {
  const values = new Kind(given.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const row of given) {
    values.set(row, at);
    at += row.length;
  }
  return { lengths: pack(Int32Array.from(given, ({ length }) => length)), values: pack(values) };
}

function unpackRows<T extends Numbers>(packed: { lengths: string; values: string }, Kind: new (length: number) => T) {
  const values = unpack(packed.values, Kind);
  const counts = Array.from(unpack(packed.lengths, Int32Array));
  const sum = counts.reduce((total, count) => total + (count < 0 ? Number.NaN : count), 0);
  if (sum !== values.length)
    throw new Error(`the lengths of its rows add up to ${sum}, but it has ${values.length} values`);
  let end = 0;
  return counts.map((count) => {
    end += count;
    return values.slice(end - count, end) as T;
  });
}

function orIssue<T>(work: () => T, input: unknown, issues: z.core.$ZodRawIssue[]): T {
  try {
    return work();
  } catch (error) {
    issues.push({ code: 'custom', message: (error as Error).message, input });
    return z.NEVER;
  }
}
