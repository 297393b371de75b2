import { expect, it } from 'vitest';
import type { RolloutRecord } from '../../runs/records';
import { absentFrom } from './missing-values';

const rollout = { logProbs: [-1], tokens: [1] } as unknown as RolloutRecord;

it('what an update did not record has a reason by the settings of its stage', () => {
  const reasonOf = (...settings: Parameters<typeof absentFrom>[1][]) =>
    settings.map((one) => [absentFrom(rollout, one).refLogProbs, absentFrom(rollout, one).entropy]);
  const older = 'an older version wrote this run and did not record it';
  const off = 'the setting tokenMeasures is off';
  const reference = 'there is no reference policy because beta is 0';
  expect(reasonOf({ beta: 0 }, { beta: 0.1 })).toEqual([
    [reference, older],
    [older, older],
  ]);
  expect(reasonOf({ beta: 0, tokenMeasures: false }, { beta: 0.1, tokenMeasures: false })).toEqual([
    [reference, off],
    [off, off],
  ]);
  expect(reasonOf(undefined)).toEqual([['not recorded', 'not recorded']]);
  expect(absentFrom({ ...rollout, entropy: [0], refLogProbs: [-1] }, { beta: 0.1 })).toEqual({});
});
