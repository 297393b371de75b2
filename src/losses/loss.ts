/** What a loss of the policy is made of. r = exp(logProb - old), A = advantage. */

/** A value and its slope for logProb. */
export interface Term {
  value: number;
  slope: number;
}

interface LossToken {
  /** r: the token's, or with importance `sequence` its completion's. */
  ratio: number;
  advantage: number;
  logProb: number;
}

export interface LossSettings {
  clipLow: number;
  clipHigh: number;
  /** sapo's temperatures: where A > 0, and elsewhere. */
  sapoPositive: number;
  sapoNegative: number;
}

/** What holds the policy near the one that sampled. Also in kernels/grpo.h and python/distillery_engine/losses.py. */
export interface Surrogate {
  /** A token's part of the loss without the KL penalty. */
  term(token: LossToken, settings: LossSettings): Term;
  /** Whether ratios below 1 - clipLow, and those above 1 + clipHigh, are clipped, and counted. */
  clips: { low: boolean; high: boolean };
}

/** Of an optimizer step. Flat groups and masked completions count as sequences of their batch and micro-batch. */
export interface Counts {
  sequences: number;
  /** Unmasked. */
  tokens: number;
  microTokens: number;
  microBatches: number;
  maxNewTokens: number;
}

/** Settings of a stage that a loss may have something to say about. */
interface AdvisedSettings {
  clipHigh: number;
  scale: string;
  /** Whether samples are used for several optimizer steps. */
  severalSteps: boolean;
}

interface Advice {
  setting: 'clipHigh' | 'scale';
  text: string;
  remedy: string;
  value: number | string;
}

export interface Loss {
  /** In the schema and in the editor. */
  about: string;
  /** `sequence`: mean over each completion's tokens, then sum over completions; `token`: sum over all tokens. */
  aggregation: 'sequence' | 'token';
  /** A ratio for each token (PPO, GRPO), or one for the completion, the geometric mean. */
  importance: 'token' | 'sequence';
  /** What the sum is divided by, so that micro-batches add up to the loss of the whole batch (TRL's definitions). */
  divisor(counts: Counts): number;
  /** Whether the divisor depends on which completions share a micro-batch. */
  byMicroBatch?: boolean;
  /** Against settings that do not go with it. */
  advice?(settings: AdvisedSettings): Advice | undefined;
}

export const perSequence = ({ sequences }: Counts) => sequences;
export const perToken = ({ tokens }: Counts) => Math.max(tokens, 1);
