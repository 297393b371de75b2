import { splitSentences } from './sentences';
import type { Chain } from './types';

/**
 * The chain reduced to the sentences that compute. Each step keeps only the sentences with an equality sign that do not
 * check an earlier one; steps without such sentences and the thinking are dropped; the answer stays. A chain without
 * such sentences stays whole. The text is the teacher's own, so students trained on it and on the whole chain differ
 * only in what was dropped.
 */
export function conciseChain(chain: Chain): Chain {
  const steps = chain.steps.map(computingSentences).filter(Boolean);
  return steps.length > 0 ? { thinking: '', steps, answer: chain.answer } : chain;
}

/** The taught part of a chain: all of it, or the sentences that compute. */
export type ChainForm = 'whole' | 'concise';

export const chainAs = (form: ChainForm, chain: Chain): Chain => (form === 'concise' ? conciseChain(chain) : chain);

function computingSentences(step: string): string {
  return splitSentences(step)
    .map(({ start, end }) => step.slice(start, end))
    .filter((sentence) => computes.test(sentence) && !checks.test(sentence))
    .join(' ');
}

/** An equality, in words or LaTeX. */
const computes = /[=≈]|\\approx/;
/** "Check: 4 * 3 = 12", "To verify, ...", "Let's double-check: ..." */
const checks = /^\W*(?:(?:to|so|now|we|can|let['’]?s|let us|double)[\s-]+)*(?:check|verif)/i;
