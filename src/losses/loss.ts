/** The parts of a policy loss. r = exp(logProb - old), A = advantage. */

/** A value, and its derivative with respect to logProb. */
export interface Term {
  value: number;
  slope: number;
}

interface LossToken {
  /** r of the token, or with importance `sequence` of its completion. */
  ratio: number;
  advantage: number;
  logProb: number;
}

export interface LossSettings {
  clipLow: number;
  clipHigh: number;
  /** sapo's temperatures: for A > 0, and otherwise. */
  sapoPositive: number;
  sapoNegative: number;
}

/** How the policy is kept near the one that sampled. Also in kernels/grpo.h and python/distillery_engine/losses.py. */
export interface Surrogate {
  /** A token's part of the loss without the KL penalty. */
  term(token: LossToken, settings: LossSettings): Term;
  /** Whether ratios below 1 - clipLow, and those above 1 + clipHigh, are clipped, and counted. */
  clips: { low: boolean; high: boolean };
}

/** Counts of an optimizer step. Sequences include flat groups and masked completions. */
export interface Counts {
  sequences: number;
  /** Unmasked tokens. */
  tokens: number;
  microTokens: number;
  microBatches: number;
  maxNewTokens: number;
}

/** Settings of a stage that a loss may warn about. */
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
  /** Shown in the schema and in the editor. */
  about: string;
  /** `sequence`: mean over each completion's tokens, then sum over completions; `token`: sum over all tokens. */
  aggregation: 'sequence' | 'token';
  /** A ratio for each token (PPO, GRPO), or one for the completion, the geometric mean. */
  importance: 'token' | 'sequence';
  /** The divisor of the sum, so that micro-batches add up to the loss of the whole batch (TRL's definitions). */
  divisor(counts: Counts): number;
  /** Whether the divisor depends on which completions share a micro-batch. */
  byMicroBatch?: boolean;
  /** Warnings about settings that do not suit it. */
  advice?(settings: AdvisedSettings): Advice | undefined;
}

export const perSequence = ({ sequences }: Counts) => sequences;
export const perToken = ({ tokens }: Counts) => Math.max(tokens, 1);
