import type { RolloutRecord } from '../records';

type NewRollout = Omit<RolloutRecord, 'seq' | 'stage' | 'step'>;

/** A rollout as a run's writer takes it: wrong, finished and without tokens, except for `changes`. */
export const newRollout = (changes: Partial<NewRollout> = {}): NewRollout => ({
  problemId: 'p',
  group: 0,
  sample: 0,
  prompt: 'Q',
  tokens: [],
  tokenTexts: [],
  logProbs: [],
  reward: 1,
  parts: {},
  advantage: 0,
  finished: true,
  answer: null,
  correct: false,
  ...changes,
});

/** A rollout as it is recorded. */
export const rolloutRecord = (changes: Partial<RolloutRecord> = {}): RolloutRecord => ({
  seq: 1,
  stage: 'complete',
  step: 3,
  ...newRollout(changes),
});
