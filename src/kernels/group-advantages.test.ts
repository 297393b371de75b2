import { describe, expect, it } from 'vitest';
import { groupAdvantagesValues } from './group-advantages';
import { expectClose } from './testing/close';

const rewards = Float32Array.of(1, 2, 4, 5, 0.1, 0.1, 0.1, 0.1, Number.NaN, 3, Number.NaN, 1);
const advantages = (scale: 'group' | 'batch' | 'none') => groupAdvantagesValues(rewards, 3, 4, scale);
const over = (values: number[], divisor: number) => values.map((value) => value / divisor);

describe('groupAdvantagesValues', () => {
  it('centres by group and divides by the deviation (n-1) of the group', () => {
    const expected = [...over([-2, -1, 1, 2], Math.sqrt(10 / 3) + 1e-4), 0, 0, 0, 0, 0];
    expectClose(advantages('group'), [...expected, 1 / (Math.SQRT2 + 1e-4), 0, -1 / (Math.SQRT2 + 1e-4)], 1e-6);
  });

  it('divides by the deviation of all applicable rewards with `batch`, while the mean stays that of the group', () => {
    const all = [1, 2, 4, 5, 0.1, 0.1, 0.1, 0.1, 3, 1];
    const mean = all.reduce((a, b) => a + b) / 10;
    const deviation = Math.sqrt(all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 9);
    expectClose(advantages('batch'), over([-2, -1, 1, 2, 0, 0, 0, 0, 0, 1, 0, -1], deviation + 1e-4), 1e-6);
  });

  it('only centres with `none`', () => {
    expectClose(advantages('none'), [-2, -1, 1, 2, 0, 0, 0, 0, 0, 1, 0, -1], 1e-7);
  });

  it('gives exact zeros for flat groups, groups of one and groups where nothing applies', () => {
    const flat = Float32Array.of(0.1, 0.1, 0.1, 0.7, Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN);
    for (const scale of ['group', 'batch', 'none'] as const) {
      expect(Array.from(groupAdvantagesValues(flat, 3, 3, scale))).toEqual(new Array(9).fill(0));
    }
  });
});
