import type { GrpoOptions } from '../../engine-data/training';

/** GRPO from a plain student: one update of a whole batch, no masks, no reference policy, no dropout or decay. */
export const plainGrpo: GrpoOptions = {
  dropout: 0,
  microBatchTokens: 1000,
  weightDecay: 0,
  maxGradNorm: 1,
  loss: 'dr_grpo',
  clipLow: 0.2,
  clipHigh: 0.28,
  sapoTemperature: { positive: 1, negative: 1.05 },
  beta: 0,
  kl: 'k3',
  temperature: 1,
  maxNewTokens: 8,
  iterations: 1,
  minibatches: 1,
  policyWeight: 1,
  replayWeight: 0.5,
};
