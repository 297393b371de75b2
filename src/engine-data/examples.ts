/** Training data for engines: token ids and plain numbers. */

/** A prompt and its target completion as token ids. The completion ends with its end token unless it was cut off. */
export interface Example {
  prompt: readonly number[];
  completion: readonly number[];
}

/** A sampled completion with the inputs of the loss. */
export interface Episode extends Example {
  /** Log-probabilities of the completion's tokens at sampling. */
  logProbs: Float32Array;
  advantage: number;
  /** Excluded from the loss (a truncated completion, if the settings say so). */
  masked: boolean;
}
