import { expect, it } from 'vitest';
import { learningRateAt } from './schedule';

const base = { learningRate: 1, warmup: 0.1, minLearningRate: 0.1 };

it('warms up linearly, then follows its schedule down to the floor', () => {
  expect(learningRateAt({ ...base, schedule: 'linear' }, 0, 100)).toBeCloseTo(0.1);
  expect(learningRateAt({ ...base, schedule: 'linear' }, 9, 100)).toBeCloseTo(1);
  expect(learningRateAt({ ...base, schedule: 'linear' }, 55, 100)).toBeCloseTo(0.55);
  expect(learningRateAt({ ...base, schedule: 'cosine' }, 55, 100)).toBeCloseTo(0.55);
  expect(learningRateAt({ ...base, schedule: 'constant' }, 99, 100)).toBe(1);
  expect(learningRateAt({ ...base, schedule: 'linear' }, 100, 100)).toBeCloseTo(0.1);
});

it('does not divide by zero with one update or without warm-up', () => {
  expect(learningRateAt({ ...base, warmup: 0, schedule: 'cosine' }, 0, 1)).toBe(1);
  expect(learningRateAt({ ...base, warmup: 1, schedule: 'linear' }, 0, 1)).toBe(1);
});
