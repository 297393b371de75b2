import { describe, expect, it } from 'vitest';
import { type SelectionState, select, type Validation } from './selection';

function bestOf(checks: [accuracy: number, meanTokens: number][], tolerance: number): Validation | null {
  let selection: SelectionState = { best: null, topAccuracy: 0 };
  checks.forEach(([accuracy, meanTokens], i) => {
    selection = select(selection, { step: i + 1, accuracy, meanTokens }, tolerance).selection;
  });
  return selection.best;
}

describe('select', () => {
  it('takes the highest accuracy, and among equals the shortest', () => {
    expect(
      bestOf(
        [
          [0.7, 50],
          [0.8, 60],
          [0.8, 55],
          [0.79, 20],
        ],
        0,
      )?.step,
    ).toBe(3);
  });
  it('counts accuracies within the tolerance as equal', () => {
    expect(
      bestOf(
        [
          [0.8, 60],
          [0.79, 40],
          [0.75, 20],
        ],
        0.02,
      )?.step,
    ).toBe(2);
  });
  it('drops a short validation once the top accuracy is out of its tolerance', () => {
    expect(
      bestOf(
        [
          [0.7, 20],
          [0.9, 60],
        ],
        0.02,
      )?.step,
    ).toBe(2);
  });
});
