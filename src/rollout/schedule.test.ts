import { expect, it } from 'vitest';
import { groupsOf, Slots } from './schedule';

it('splits groups that are larger than the cache', () => {
  const groups = groupsOf([[1, 2], [3]], 5, 2);
  expect(groups.map(({ rows }) => rows.map(({ draft }) => [draft.prompt, draft.completion]))).toEqual([
    [
      [0, 0],
      [0, 1],
    ],
    [
      [0, 2],
      [0, 3],
    ],
    [[0, 4]],
    [
      [1, 0],
      [1, 1],
    ],
    [
      [1, 2],
      [1, 3],
    ],
    [[1, 4]],
  ]);
  expect(groups[3].prompt).toEqual([3]);
});

it('gives a group all its slots or none, each to one row at a time', () => {
  const [a, b, c] = groupsOf([[1], [2], [3]], 2, 8);
  const slots = new Slots(5);
  expect(slots.take(a) && slots.take(b)).toBe(true);
  expect(slots.take(c)).toBe(false);
  expect(new Set([...a.rows, ...b.rows].map(({ slot }) => slot)).size).toBe(4);
  slots.free(a.rows[1]);
  expect(slots.take(c)).toBe(true);
  expect(new Set([a.rows[0], ...b.rows, ...c.rows].map(({ slot }) => slot)).size).toBe(5);
});
