import { number, whole } from '../fields';
import { component } from './component';

/** -(1 - distinct/total) * penalty over n-grams of token ids (arXiv 2502.03373); 0 for fewer than n tokens. */
export const repetition = component({
  name: 'repetition',
  description: 'Penalty for repeated n-grams of tokens: -(1 - distinct/total) * penalty (arXiv 2502.03373).',
  options: () => ({
    n: whole('Tokens in an n-gram.', { min: 1 }).default(3),
    penalty: number('Penalty when everything repeats.', { min: 0 }).default(1),
  }),
  traits: { highest: () => 0 },
  score({ completion }, { n, penalty }) {
    const total = completion.tokens.length - n + 1;
    if (total <= 0) return 0;
    const distinct = new Set(Array.from({ length: total }, (_, i) => completion.tokens.slice(i, i + n).join()));
    return (distinct.size / total - 1) * penalty;
  },
});
