import { splitSentences } from './sentences';
import type { Chain } from './types';

/**
 * The chain cut to the sentences that compute. Of each step only the sentences with an equality sign stay that are not
 * a check of one before; steps without any go, and so does the thinking; the answer stays. A chain with no such
 * sentence stays whole. What is kept is the teacher's own words, so that a student taught by it differs from one taught
 * by the whole chain in what was left out alone.
 */
export function conciseChain(chain: Chain): Chain {
  const steps = chain.steps.map(computingSentences).filter(Boolean);
  return steps.length > 0 ? { thinking: '', steps, answer: chain.answer } : chain;
}

/** What of a chain is taught: all of it, or the sentences that compute. */
export type ChainForm = 'whole' | 'concise';

export const chainAs = (form: ChainForm, chain: Chain): Chain => (form === 'concise' ? conciseChain(chain) : chain);

function computingSentences(step: string): string {
  return splitSentences(step)
    .map(({ start, end }) => step.slice(start, end))
    .filter((sentence) => computes.test(sentence) && !checks.test(sentence))
    .join(' ');
}

/** An equality, in letters or as LaTeX. */
const computes = /[=≈]|\\approx/;
/** "Check: 4 * 3 = 12", "To verify, ...", "Let's double-check: ..." */
const checks = /^\W*(?:(?:to|so|now|we|can|let['’]?s|let us|double)[\s-]+)*(?:check|verif)/i;
