import { expect, it } from 'vitest';
import { budgetsOf, histogram, quantile } from './lengths';

const lengths = Array.from({ length: 100 }, (_, i) => 3 * (i + 1)); // 3, 6, ... 300

it('gives the length that a share of the rows does not exceed', () => {
  expect([0.5, 0.95, 1].map((share) => quantile(lengths, share))).toEqual([150, 285, 300]);
  expect(quantile([7], 0.5)).toBe(7);
  expect(quantile([], 0.5)).toBe(0);
});

it('says how many chains each budget holds', () => {
  expect(budgetsOf(lengths, [512])).toEqual([
    { tokens: 160, rows: 53 },
    { tokens: 240, rows: 80 },
    { tokens: 272, rows: 90 },
    { tokens: 288, rows: 96 },
    { tokens: 304, rows: 100 },
    { tokens: 512, rows: 100 },
  ]);
  expect(budgetsOf([5, 5, 5])).toEqual([{ tokens: 16, rows: 3 }]);
  expect(budgetsOf([], [64])).toEqual([{ tokens: 64, rows: 0 }]);
});

it('draws bars of a round width, the longest in the last', () => {
  const bars = histogram([...lengths, 9000]);
  expect(bars[0]).toEqual({ from: 0, to: 50, rows: 16 });
  expect(bars.at(-1)).toMatchObject({ from: 300, to: 9001, rows: 2 });
  expect(bars.reduce((sum, { rows }) => sum + rows, 0)).toBe(101);
  expect(histogram([4, 4])).toEqual([0, 1, 2, 3, 4].map((from) => ({ from, to: from + 1, rows: from === 4 ? 2 : 0 })));
  expect(histogram([])).toEqual([]);
});
