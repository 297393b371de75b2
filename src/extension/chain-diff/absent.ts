/** Why a chain has nothing at its tokens that an overlay of the chain diff could show. */
import type { ChainView } from '../../protocol/chain-diff';
import type { RolloutRecord } from '../../runs/records';

export type Absent = ChainView['absent'];

/** What a stage's settings say about the recording; `undefined`: they do not say, or cannot be read. */
export interface Recording {
  beta?: number;
  tokenMeasures?: boolean;
}

/** A chain that is no completion of an update: one reason for all. */
export const notSampled = (why: string): Absent => ({ logProbs: why, refLogProbs: why, entropy: why, reward: why });

export const reasons = {
  teacher: 'the student did not sample the teacher’s chain',
  failures: 'answers of the search for failures are recorded as text',
  imported: 'imported as text',
  trainer: 'the trainer that made this run did not record it',
  evaluation: 'answers of tests are recorded as text',
  run: 'rewrites are recorded as text; the rollouts of Stage 3 have the numbers',
  request: 'rewrites that were asked for are recorded as text',
  person: 'written by a person, not sampled',
} as const;

/** What is absent from a completion's record. Absent settings: the run's config.json cannot be read. */
export function absentFrom(rollout: RolloutRecord, settings: Recording | undefined): Absent {
  const absent: Absent = {};
  if (!rollout.logProbs) absent.logProbs = reasons.trainer;
  if (!rollout.entropy) absent.entropy = whyNot(settings);
  if (!rollout.refLogProbs)
    absent.refLogProbs = settings?.beta === 0 ? 'there is no reference policy: beta is 0' : whyNot(settings);
  return absent;
}

function whyNot(settings: Recording | undefined): string {
  if (!settings) return 'not recorded';
  if (settings.tokenMeasures === undefined) return 'not recorded: the run was made by an older version';
  return settings.tokenMeasures
    ? 'not recorded: the update did not compute it'
    : 'not recorded: the setting tokenMeasures is off';
}
