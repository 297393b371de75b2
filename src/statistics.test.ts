import { describe, expect, it } from 'vitest';
import { deviation, mean, pairedInterval, wilsonInterval } from './statistics';

describe('wilsonInterval', () => {
  it('agrees with published values', () => {
    // 1005 of 1319 right: 76.19 %, 95 % Wilson interval by R's prop.test(correct = FALSE): 73.82 .. 78.42 %
    const [low, high] = wilsonInterval(1005, 1319);
    expect(low).toBeCloseTo(0.7382, 3);
    expect(high).toBeCloseTo(0.7842, 3);
  });
  it('stays inside [0, 1] at the ends', () => {
    expect(wilsonInterval(0, 10)[0]).toBe(0);
    expect(wilsonInterval(10, 10)[1]).toBeCloseTo(1, 12);
    expect(wilsonInterval(0, 10)[1]).toBeGreaterThan(0.2);
  });
});

describe('pairedInterval', () => {
  it('holds the true difference and is narrower than chance for paired data', () => {
    const before = Array.from({ length: 400 }, (_, i) => i % 2);
    const after = before.map((value, i) => (i % 10 === 0 ? 1 : value));
    const [low, high] = pairedInterval(before, after);
    const difference = mean(after) - mean(before);
    expect(low).toBeLessThan(difference);
    expect(high).toBeGreaterThan(difference);
    expect(high - low).toBeLessThan(0.06);
    expect(low).toBeGreaterThan(0);
  });
});

it('deviation is that of a sample', () => {
  expect(deviation([1, 2, 3, 4])).toBeCloseTo(Math.sqrt(5 / 3), 12);
  expect(deviation([5])).toBe(0);
});
