import { describe, expect, it } from 'vitest';
import { expectClose } from '../../kernels/testing/close';
import { type AdvantageScale, groupAdvantages } from './advantages';

const advantages = (rewards: number[][], scale: AdvantageScale) =>
  groupAdvantages(rewards, scale).flatMap((group) => [...group]);

describe('groupAdvantages', () => {
  it('centres each group and divides by its deviation (n-1)', () => {
    const deviation = Math.sqrt(1 / 3); // of 1, 1, 0, 0
    expectClose(
      advantages([[1, 1, 0, 0]], 'group'),
      [1, 1, -1, -1].map((sign) => (sign * 0.5) / (deviation + 1e-4)),
      1e-6,
    );
    expectClose(advantages([[2, -2]], 'group'), [2 / (Math.sqrt(8) + 1e-4), -2 / (Math.sqrt(8) + 1e-4)], 1e-6);
  });

  it('divides by the deviation of all rewards, groups centred by their own mean (batch)', () => {
    const deviation = Math.sqrt((0.25 ** 2 + 2 * 1.25 ** 2 + 2.75 ** 2) / 3); // of 1, 0, 0, 4 about their mean, 1.25
    expectClose(
      advantages(
        [
          [1, 0],
          [0, 4],
        ],
        'batch',
      ),
      [0.5, -0.5, -2, 2].map((centred) => centred / (deviation + 1e-4)),
      1e-6,
    );
  });

  it('only centres (none)', () => {
    expectClose(advantages([[3, 1, 2]], 'none'), [1, -1, 0], 1e-6);
  });

  it.each(['group', 'batch', 'none'] as const)('gives exact zeros to a group of equal rewards (%s)', (scale) => {
    const flat = Array.from({ length: 7 }, () => 0.1); // whose mean in floats is not 0.1
    expect(advantages([flat, [0.3, 0, 0.3, 0, 0, 0, 0]], scale).slice(0, 7)).toEqual(flat.map(() => 0));
  });

  it('leaves out rewards that are not applicable', () => {
    expectClose(advantages([[Number.NaN, 3, 1, 2, Number.NaN]], 'group'), [0, 1 / 1.0001, -1 / 1.0001, 0, 0], 1e-6);
    expect(advantages([[Number.NaN, 5]], 'group')).toEqual([0, 0]);
    expect(advantages([[Number.NaN, Number.NaN]], 'batch')).toEqual([0, 0]);
    expectClose(
      advantages(
        [
          [Number.NaN, 2],
          [4, 0],
        ],
        'batch',
      ),
      [0, 0, 2 / 2.0001, -2 / 2.0001],
      1e-6,
    );
  });

  it('notices any difference, however small', () => {
    const [a, b] = advantages([[1, 1 + 2 ** -23]], 'none');
    expect([Math.sign(a), Math.sign(b)]).toEqual([-1, 1]);
  });
});
