import { describe, expect, it } from 'vitest';
import { measureGroups, type ScoredGroup, type ScoredSample } from './groups';

const sample = (correct: boolean, length: number) =>
  ({
    tokens: Array(length).fill(1),
    correct,
    finished: true,
    advantage: 0,
    score: { total: correct ? 1 : -1, parts: { correctness: correct ? 1 : -1 } },
  }) as unknown as ScoredSample;
const group = (...samples: ScoredSample[]) => ({ samples }) as unknown as ScoredGroup;

describe('what is measured of an update', () => {
  it('tells the length of right and of wrong completions apart', () => {
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
