import { expect, it } from 'vitest';
import { meanUpdateTime, updatesAveraged } from './update-time';

it('is the mean gap, with the checks in between and without rests', () => {
  expect(meanUpdateTime([])).toBeUndefined();
  expect(meanUpdateTime([5])).toBeUndefined();
  expect(meanUpdateTime([0, 1000, 2000, 12_000])).toBe(4000);
  expect(meanUpdateTime([0, 1000, 2000, 3_600_000, 3_601_000])).toBe(1000);
  expect(meanUpdateTime([0, 200_000])).toBe(200_000);
  expect(meanUpdateTime([0, 4000, 8000, 68_000, 72_000])).toBe(4000);
  expect(meanUpdateTime([0, 100_000, 200_000, 500_000])).toBeCloseTo(500_000 / 3);
});

it('looks at the last updates only', () => {
  const slow = Array.from({ length: 20 }, (_, i) => 10_000 * i);
  const fast = Array.from({ length: updatesAveraged + 1 }, (_, i) => 200_000 + 100 * i);
  expect(meanUpdateTime([...slow, ...fast])).toBe(100);
});
