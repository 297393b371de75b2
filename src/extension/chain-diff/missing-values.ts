/** Reasons why an overlay of the chain diff has no values for a chain's tokens. */
import type { ChainView } from '../../protocol/chain-diff';
import type { RolloutRecord } from '../../runs/records';

export type MissingValues = ChainView['absent'];

/** A stage's recording settings; `undefined` where the config does not have them or cannot be read. */
export interface Recording {
  beta?: number;
  tokenMeasures?: boolean;
}

/** A chain that is not a completion of an update has one reason for all overlays. */
export const notSampled = (why: string): MissingValues => ({
  logProbs: why,
  refLogProbs: why,
  entropy: why,
  reward: why,
});

export const reasons = {
  teacher: 'the student did not sample the teacher’s chain',
  failures: 'answers of the failure search are recorded as text only',
  imported: 'the records were imported as text',
  trainer: 'the trainer of this run did not record it',
  evaluation: 'test answers are recorded as text only',
  run: 'rewrites are recorded as text only; the rollouts of Stage 3 have the numbers',
  request: 'rewrites on request are recorded as text only',
  person: 'it was written by a person, not sampled',
} as const;

/**
 * The values missing from a completion's record, with reasons. Settings are absent when the run's config.json cannot be
 * read.
 */
export function absentFrom(rollout: RolloutRecord, settings: Recording | undefined): MissingValues {
  const absent: MissingValues = {};
  if (!rollout.logProbs) absent.logProbs = reasons.trainer;
  if (!rollout.entropy) absent.entropy = whyNot(settings);
  if (!rollout.refLogProbs)
    absent.refLogProbs = settings?.beta === 0 ? 'there is no reference policy because beta is 0' : whyNot(settings);
  return absent;
}

function whyNot(settings: Recording | undefined): string {
  if (!settings) return 'not recorded';
  if (settings.tokenMeasures === undefined) return 'an older version wrote this run and did not record it';
  return settings.tokenMeasures ? 'this update did not compute it' : 'the setting tokenMeasures is off';
}
