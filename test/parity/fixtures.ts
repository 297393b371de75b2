import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { tensorFlowIsSetUp } from '../../src/kernels/testing/backends';
import { packageRoot } from '../../src/paths';

/** Backends whose numbers are held against the fixtures. */
export const backends = [
  'cpu',
  'embedded',
  'embedded-wasm',
  ...(tensorFlowIsSetUp() ? (['tensorflow'] as const) : []),
] as const;

/** Largest error allowed, absolute and in relation to the greatest of the expected values. */
export const tolerance = 1e-4;

/** A file below test/fixtures/parity, which scripts/fixtures makes. */
export function fixture(...path: string[]): string {
  return join(packageRoot(), 'test/fixtures/parity', ...path);
}

export function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(fixture(name), 'utf8')) as T;
}

/** Compares two lists of numbers of one length, and names the element that is farthest off. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  expect(actual.length, what).toBe(expected.length);
  const errors = Array.from(expected, (value, i) => {
    const error = Math.abs(actual[i] - value);
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  });
  const error = Math.max(...errors);
  const at = errors.indexOf(error);
  const message = `${what}: element ${at} is ${actual[at]}, expected ${expected[at]}`;
  expect(error, message).toBeLessThan(tolerance);
  const greatest = Math.max(...Array.from(expected, Math.abs));
  expect(error, `${message}, the greatest being ${greatest}`).toBeLessThanOrEqual(tolerance * greatest);
}
