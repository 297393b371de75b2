export type { Span } from '../answers/span';

/**
 * A chain of thought in the three parts that the method works on (arXiv 2602.17686): what was thought before the first
 * step, the steps in order, and the answer as it stands after the answer mark. Parts are trimmed; a part that is
 * missing is empty.
 */
export interface Chain {
  thinking: string;
  steps: string[];
  answer: string;
}

/** The steps of a chain as an exercise shows them. */
export interface Exercise {
  /** The steps in the order shown, with the mask in place of what was taken out. Empty: the plain question. */
  shownSteps: string[];
  /** For each step shown, its index in the chain: a permutation of 0..n-1. */
  order: number[];
  /** Indices into the chain of the steps that were masked, ascending. */
  masked: number[];
}
