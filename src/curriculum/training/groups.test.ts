import { describe, expect, it } from 'vitest';
import { hasEqualRewards, measureGroups, type ScoredGroup, type ScoredSample } from './groups';

const sample = (correct: boolean, length: number) =>
  ({
    tokens: Array(length).fill(1),
    correct,
    finished: true,
    advantage: 0,
    score: { total: correct ? 1 : -1, parts: { correctness: correct ? 1 : -1 } },
  }) as unknown as ScoredSample;
const group = (...samples: ScoredSample[]) => ({ samples }) as unknown as ScoredGroup;

it('is flat by its rewards, or by its answers as well', () => {
  const advantaged =
    (...advantages: number[]) =>
    (one: ScoredGroup) => ({
      ...one,
      samples: one.samples.map((sample, i) => ({ ...sample, advantage: advantages[i] })),
    });
  const shaped = advantaged(0.5, -0.5)(group(sample(false, 4), sample(false, 9))); // all wrong, one better formed
  const mixed = advantaged(1, -1)(group(sample(true, 4), sample(false, 9)));
  const equal = group(sample(true, 4), sample(false, 9)); // right and wrong for one reward
  const flat = (by: 'reward' | 'correct') => [shaped, mixed, equal].map((one) => hasEqualRewards(one, by));
  expect(flat('reward')).toEqual([false, false, true]);
  expect(flat('correct')).toEqual([true, false, true]);
  expect(measureGroups([shaped, mixed], 'reward')).toMatchObject({ flatGroups: 0, allWrong: 0.5 });
  expect(measureGroups([shaped, mixed], 'correct')).toMatchObject({ flatGroups: 0.5, allWrong: 0.5 });
});

describe('metrics of an update', () => {
  it('reports the lengths of right and wrong completions separately', () => {
    const measured = measureGroups([group(sample(true, 4), sample(false, 10)), group(sample(true, 6))]);
    expect(measured).toMatchObject({ lengthCorrect: 5, lengthWrong: 10, lengthMean: 20 / 3 });
  });

  it('has no length of right completions where none is right, nor of wrong ones where none is wrong', () => {
    const wrong = measureGroups([group(sample(false, 10), sample(false, 12))]);
    expect(wrong).toMatchObject({ lengthWrong: 11, accuracy: 0 });
    expect(wrong).not.toHaveProperty('lengthCorrect');
    expect(measureGroups([group(sample(true, 4))])).not.toHaveProperty('lengthWrong');
  });
});
