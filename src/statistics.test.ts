import { describe, expect, it } from 'vitest';
import { Random } from './random';
import { deviation, mean, pairedInterval, unpairedInterval, wilsonInterval } from './statistics';

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
    const difference = Array.from({ length: 400 }, (_, i) => Number(i % 10 === 0 && i % 2 === 0));
    const [low, high] = pairedInterval([difference]);
    expect(low).toBeLessThan(mean(difference));
    expect(high).toBeGreaterThan(mean(difference));
    expect(high - low).toBeLessThan(0.065);
    expect(low).toBeGreaterThan(0);
  });

  it('is the ordinary bootstrap over problems for one run', () => {
    const difference = Array.from({ length: 200 }, (_, i) => (i % 7) - 3);
    const random = new Random(1, 'paired');
    const means = Array.from({ length: 2000 }, () =>
      mean(difference.map(() => difference[random.integer(0, difference.length - 1)])),
    ).sort((a, b) => a - b);
    const [low, high] = pairedInterval([difference]);
    expect(low).toBeCloseTo(means[49], 12);
    expect(high).toBeCloseTo(means[1949], 12);
  });

  it('does not count equal answers of two equal runs twice', () => {
    const difference = Array.from({ length: 200 }, (_, i) => (i % 7) - 3);
    const [low, high] = pairedInterval([difference, difference, difference]);
    const [lowOfOne, highOfOne] = pairedInterval([difference]);
    expect([low, high]).toEqual([lowOfOne, highOfOne].map((end) => expect.closeTo(end, 12)));
  });

  it('refuses runs that were tested on different problems', () => {
    expect(() => pairedInterval([[1, 0], [1]])).toThrow('the same problems');
  });

  /** How often the interval holds the true difference when runs, problems and answers all vary. */
  function coverage(runs: number, spread: { run: number; problem: number; answer: number }): number {
    const truth = 0.3;
    const trials = 200;
    const held = Array.from({ length: trials }, (_, trial) => {
      const random = new Random(trial, 'coverage', runs);
      const ofProblem = Array.from({ length: 60 }, () => spread.problem * random.normal());
      const rows = Array.from({ length: runs }, () => {
        const ofRun = spread.run * random.normal();
        return ofProblem.map((value) => truth + value + ofRun + spread.answer * random.normal());
      });
      const [low, high] = pairedInterval(rows, trial);
      return Number(low <= truth && truth <= high);
    });
    return mean(held);
  }

  it('covers the truth in about 95 of 100 experiments of enough runs', () => {
    expect(coverage(1, { run: 0, problem: 1, answer: 0 })).toBeGreaterThan(0.91);
    expect(coverage(8, { run: 0.1, problem: 1, answer: 1 })).toBeGreaterThan(0.91);
    expect(coverage(8, { run: 1, problem: 0.1, answer: 0.1 })).toBeGreaterThan(0.87);
  });

  it('is too narrow for few runs that differ much, as its users must report', () => {
    expect(coverage(3, { run: 1, problem: 0.1, answer: 0.1 })).toBeLessThan(0.9);
    expect(coverage(1, { run: 1, problem: 0.1, answer: 0.1 })).toBeLessThan(0.3);
  });
});

describe('unpairedInterval', () => {
  it('resamples the same problems for both groups', () => {
    const before = Array.from({ length: 200 }, (_, i) => (i % 7) - 3);
    const after = before.map((value, i) => value + (i % 3));
    const differences = after.map((value, i) => value - before[i]);
    const expected = pairedInterval([differences]).map((end) => expect.closeTo(end, 12));
    expect(unpairedInterval([before], [after])).toEqual(expected);
  });

  it('covers the truth in about 95 of 100 experiments, whose groups differ in size', () => {
    const held = Array.from({ length: 100 }, (_, trial) => {
      const random = new Random(trial, 'groups');
      const ofProblem = Array.from({ length: 60 }, () => random.normal());
      const group = (runs: number, truth: number) =>
        Array.from({ length: runs }, () => {
          const ofRun = 0.3 * random.normal();
          return ofProblem.map((value) => truth + value + ofRun + random.normal());
        });
      const [low, high] = unpairedInterval(group(6, 0), group(9, 0.3), trial);
      return Number(low <= 0.3 && 0.3 <= high);
    });
    expect(mean(held)).toBeGreaterThan(0.9);
  });
});

it('deviation is that of a sample', () => {
  expect(deviation([1, 2, 3, 4])).toBeCloseTo(Math.sqrt(5 / 3), 12);
  expect(deviation([5])).toBe(0);
});
