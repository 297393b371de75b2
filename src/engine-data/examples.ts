/** What engines learn from: token ids and plain numbers. */

/** A prompt and the completion to learn, as token ids; the completion ends with its end token unless it was cut off. */
export interface Example {
  prompt: readonly number[];
  completion: readonly number[];
}

/** A sampled completion with what the loss needs. */
export interface Episode extends Example {
  /** Log-probabilities of the completion's tokens when they were sampled. */
  logProbs: Float32Array;
  advantage: number;
  /** Left out of the loss (a truncated completion, when the settings say so). */
  masked: boolean;
}
