/** How completions are sampled, and what comes of it. */

export interface Sampling {
  /** 0 = greedy. */
  temperature: number;
  /** Keep the k most likely tokens; 0 = all. */
  topK: number;
  /** Keep the smallest set of most likely tokens with this mass; 1 = all. */
  topP: number;
  /** Keep tokens with at least this share of the top probability; 0 = all. */
  minP: number;
}

/** How the weights are rounded that completions are sampled with; the trained ones stay in float32. */
export type WeightPrecision = 'float32' | 'bfloat16' | 'int8';

export interface SampleOptions {
  sampling: Sampling;
  /** Most tokens of a completion, its end token included; fewer where the model's positions end before. */
  maxNewTokens: number;
  /** Tokens that end a completion. */
  eosIds: readonly number[];
  seed: number;
  /** Further counters of the draws, such as the stage and the update. */
  stream?: readonly (number | string)[];
  /** Completions per prompt; 1 unless said. */
  groupSize?: number;
  /** Rows in flight at once, which bounds the cache's memory; 64 unless said. */
  maxRows?: number;
  /** Of the weights while sampling; float32 unless said. */
  precision?: WeightPrecision;
  /** Shown all completions as far as they are, now and then and at the end. */
  progress?: (drafts: readonly Readonly<Draft>[]) => void;
  /** Ends the sampling with the signal's reason. */
  signal?: AbortSignal;
}

/** A completion that is being sampled. */
export interface Draft {
  /** Index of its prompt, and its own index in the group. */
  prompt: number;
  completion: number;
  tokens: number[];
  logProbs: number[];
  finished: boolean;
}

export interface Completion extends Omit<Draft, 'logProbs'> {
  /** With the end token, if it came to one. */
  tokens: number[];
  /** Of each token under the tempered distribution before filtering (at temperature 0: at temperature 1). */
  logProbs: Float32Array;
  /** Ended by an end token; otherwise cut off by the budget. */
  finished: boolean;
}

export interface SampleSummary {
  promptTokens: number;
  newTokens: number;
  seconds: number;
  /** New tokens per second, the prompts' computation included. */
  tokensPerSecond: number;
}
