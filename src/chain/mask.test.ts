import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../errors';
import { Random } from '../random';
import { completionExercise, maskRatioAt, reconstructionExercise } from './mask';
import { maskText } from './prompts';
import type { Chain } from './types';

const chainOf = (n: number): Chain => ({
  thinking: '',
  steps: Array.from({ length: n }, (_, i) => `step ${i + 1}`),
  answer: '42',
});
const sorted = (values: readonly (string | number)[]) => [...values].sort();
const lengths = fc.integer({ min: 0, max: 12 });
const seeds = fc.integer();

describe('reconstruction', () => {
  test('the steps shown are the chain with the masked ones replaced, in the order given', () => {
    const options = fc.record({
      maskProbability: fc.constantFrom(0, 0.5, 1),
      maskSteps: fc.constantFrom(0, 0.3, 0.99, 1, 2, 20),
      shuffleProbability: fc.constantFrom(0, 0.5, 1),
    });
    fc.assert(
      fc.property(lengths, seeds, options, (n, seed, options) => {
        const chain = chainOf(n);
        const { shownSteps, order, masked } = reconstructionExercise(chain, options, new Random(seed));
        expect(sorted(order)).toEqual(sorted(chain.steps.map((_, i) => i)));
        expect(shownSteps).toEqual(order.map((i) => (masked.includes(i) ? maskText : chain.steps[i])));
        // No step but the masked ones is missing.
        const kept = chain.steps.filter((_, i) => !masked.includes(i));
        expect(sorted(shownSteps)).toEqual(sorted([...kept, ...masked.map(() => maskText)]));
        if (options.shuffleProbability === 1 && n >= 2) expect(order).not.toEqual(sorted(order));
        if (options.shuffleProbability === 0) expect(order).toEqual(chain.steps.map((_, i) => i));
        const { maskSteps } = options;
        const count = maskSteps >= 1 ? maskSteps : maskSteps > 0 ? Math.max(1, Math.round(maskSteps * n)) : 0;
        if (options.maskProbability === 1) expect(masked).toHaveLength(Math.min(count, n));
        if (options.maskProbability === 0) expect(masked).toEqual([]);
      }),
    );
  });

  test('by default one step is masked seven times in ten, and each order but the own is as likely', () => {
    const orders = new Map<string, number>();
    const places = [0, 0, 0];
    let masks = 0;
    for (let i = 0; i < 5000; i++) {
      const { order, masked } = reconstructionExercise(chainOf(3), {}, new Random(7, i));
      orders.set(order.join(), (orders.get(order.join()) ?? 0) + 1);
      masks += masked.length;
      for (const place of masked) places[place]++;
    }
    expect(masks / 5000).toBeGreaterThan(0.68);
    expect(masks / 5000).toBeLessThan(0.72);
    expect([...orders.keys()].sort()).toEqual(['0,2,1', '1,0,2', '1,2,0', '2,0,1', '2,1,0']);
    for (const count of orders.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
    for (const count of places) expect(Math.abs(count - masks / 3)).toBeLessThan(120);
  });

  test('the seed decides', () => {
    const draw = (seed: number) => reconstructionExercise(chainOf(6), {}, new Random(seed));
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
  });
});

describe('completion', () => {
  test('order is kept; a ratio above 0 masks one step at least and leaves one', () => {
    fc.assert(
      fc.property(lengths, seeds, fc.double({ min: 0, max: 0.999, noNaN: true }), (n, seed, ratio) => {
        const chain = chainOf(n);
        const { shownSteps, order, masked } = completionExercise(chain, ratio, new Random(seed));
        expect(order).toEqual(chain.steps.map((_, i) => i));
        expect(shownSteps).toEqual(chain.steps.map((step, i) => (masked.includes(i) ? maskText : step)));
        const wanted = ratio > 0 ? Math.max(1, Math.round(ratio * n)) : 0;
        expect(masked).toHaveLength(Math.max(0, Math.min(wanted, n - 1)));
        expect(masked).toEqual([...new Set(masked)].sort((a, b) => a - b));
      }),
    );
  });

  test('from 1 on it is the plain question', () => {
    const { shownSteps, masked } = completionExercise(chainOf(4), 1, new Random(1));
    expect(shownSteps).toEqual([]);
    expect(masked).toEqual([0, 1, 2, 3]);
  });

  test.each([
    [0, 0],
    [1, 0],
    [2, 1],
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 3],
    [7, 3],
    [8, 4],
    [9, 4],
    [10, 5],
    [20, 10],
  ])('the preset bridge masks of %i steps %i', (n, m) => {
    const { shownSteps, masked } = completionExercise(chainOf(n), { preset: 'bridge' }, new Random(n));
    expect(masked).toHaveLength(m);
    expect(shownSteps).toHaveLength(n);
  });

  test('the masks are scattered: each step is masked as often', () => {
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 4000; i++) {
      for (const place of completionExercise(chainOf(4), 0.5, new Random(1, i)).masked) counts[place]++;
    }
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(150);
  });
});

describe('schedule', () => {
  test('equal parts, one after the other', () => {
    const schedule = [0.3, 0.5, 0.75, 1];
    expect(
      [0, 0.2499, 0.25, 0.5, 0.74, 0.75, 0.99, 1, 2, -1].map((progress) => maskRatioAt(schedule, progress)),
    ).toEqual([0.3, 0.3, 0.5, 0.75, 0.75, 1, 1, 1, 1, 0.3]);
    expect(maskRatioAt([0.5], 0.9)).toBe(0.5);
  });

  test('refuses values out of range', () => {
    const random = new Random(1);
    expect(() => maskRatioAt([], 0)).toThrow(UserError);
    expect(() => maskRatioAt([1.5], 0)).toThrow(/1\.5.*0 to 1/);
    expect(() => completionExercise(chainOf(3), -0.1, random)).toThrow(/-0\.1/);
    expect(() => completionExercise(chainOf(3), Number.NaN, random)).toThrow(UserError);
    expect(() => reconstructionExercise(chainOf(3), { maskProbability: 2 }, random)).toThrow(/maskProbability is 2/);
    expect(() => reconstructionExercise(chainOf(3), { maskSteps: -1 }, random)).toThrow(/maskSteps/);
  });
});
