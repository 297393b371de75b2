/**
 * Numbers in our JSON files and messages: JSON has no NaN and no infinities, so they are the strings "NaN", "Infinity"
 * and "-Infinity".
 */
import * as z from 'zod';

export function encode(record: unknown): string {
  return JSON.stringify(record, (_, value) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );
}

/** A number that may be one of those strings. */
export const numberOrText = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']).transform(Number)]);

/** Whether a value is a JSON object: neither an array nor null. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
