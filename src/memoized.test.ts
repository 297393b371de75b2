import { expect, it, vi } from 'vitest';
import { memoized } from './memoized';

it('makes a result once, and keeps results for so many characters', () => {
  const make = vi.fn((text: string) => text.toUpperCase());
  const upper = memoized(make, 5);
  expect([upper('ab'), upper('cde'), upper('ab'), upper('cde')]).toEqual(['AB', 'CDE', 'AB', 'CDE']);
  expect(make).toHaveBeenCalledTimes(2);
  upper('f'); // more than five characters: what was kept goes
  upper('f');
  expect(make).toHaveBeenCalledTimes(3);
  upper('ab');
  expect(make).toHaveBeenCalledTimes(4);
  upper('longer');
  upper('longer');
  expect(make).toHaveBeenCalledTimes(6);
});
