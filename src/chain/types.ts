export type { Span } from '../answers/span';

/**
 * A chain of thought in the three parts that the method uses (arXiv 2602.17686): the thinking before the first step,
 * the steps in order, and the answer as written after the answer mark. Parts are trimmed; a missing part is empty.
 */
export interface Chain {
  thinking: string;
  steps: string[];
  answer: string;
}

export interface Exercise {
  /** The steps in the order shown, with the mask in place of hidden text. Empty: the plain question. */
  shownSteps: string[];
  /** For each step shown, its index in the chain: a permutation of 0..n-1. */
  order: number[];
  /** Indices of the masked steps in the chain, ascending. */
  masked: number[];
}
