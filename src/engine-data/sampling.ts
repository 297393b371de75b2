/** Sampling settings and results. */

export interface Sampling {
  /** 0 means greedy. */
  temperature: number;
  /** Keep the k most likely tokens; 0 = all. */
  topK: number;
  /** Keep the smallest set of most likely tokens with this probability mass; 1 = all. */
  topP: number;
  /** Keep tokens with at least this share of the top probability; 0 = all. */
  minP: number;
}

/** All tokens stay. */
export const unfiltered = { topK: 0, topP: 1, minP: 0 } as const;

/**
 * Precision of the weights for sampling; the trained ones stay in float32. With AVX-512 BF16, `bfloat16` rounds
 * activations, too.
 */
export type WeightPrecision = 'float32' | 'bfloat16' | 'int8';

export interface SampleOptions {
  sampling: Sampling;
  /** Maximum length of a completion including its end token; the model's positions may allow fewer. */
  maxNewTokens: number;
  /** Tokens that end a completion. */
  eosIds: readonly number[];
  seed: number;
  /** Further seeds of the draws, such as stage and update. */
  stream?: readonly (number | string)[];
  /** Completions per prompt (default: 1). */
  groupSize?: number;
  /** Rows per batch, which bounds the cache's memory (default: 64). */
  maxRows?: number;
  /** Precision of the weights for sampling (default: float32). */
  precision?: WeightPrecision;
  /** Called from time to time, and at the end, with all completions so far. */
  progress?: (drafts: readonly Readonly<Draft>[]) => void;
  /** Sampling ends with the signal's reason. */
  signal?: AbortSignal;
}

/** A completion in progress. */
export interface Draft {
  /** Index of its prompt, and its own index in the group. */
  prompt: number;
  completion: number;
  tokens: number[];
  logProbs: number[];
  finished: boolean;
}

export interface Completion extends Omit<Draft, 'logProbs'> {
  /** Includes the end token if it was sampled. */
  tokens: number[];
  /** For each token, under the tempered distribution before filtering (at temperature 0: at temperature 1). */
  logProbs: Float32Array;
  /** Ended by an end token; false: cut off by the budget. */
  finished: boolean;
}

export interface SampleSummary {
  promptTokens: number;
  newTokens: number;
  seconds: number;
  /** New tokens per second, including the computation of the prompts. */
  tokensPerSecond: number;
}

/** Of a call that began at `started` (performance.now()). */
export function summaryOf(
  prompts: readonly (readonly number[])[],
  completions: readonly Completion[],
  started: number,
): SampleSummary {
  const seconds = (performance.now() - started) / 1000;
  const newTokens = completions.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const promptTokens = prompts.reduce((sum, { length }) => sum + length, 0);
  return { promptTokens, newTokens, seconds, tokensPerSecond: newTokens / Math.max(seconds, 1e-9) };
}
