import { number } from '../fields';
import { component } from './component';
import { groundednessOf } from './input';

/** `grounded` or `ungrounded`; null if there is no verdict (src/chain/grounded.ts). */
export const grounded = component({
  name: 'grounded',
  description:
    'The steps lead to the answer: it follows from true equations, or from sentences over the ' +
    'numbers of the question; no false equation, no empty or repeated step, one answer. As a ' +
    'gate it closes only on an error: where nothing can be computed, it stays open.',
  options: () => ({
    grounded: number('Value of steps that lead to the answer.').default(0),
    ungrounded: number(
      'Value of steps that do not, or of no steps: by default a right answer then earns no more than a wrong one.',
    ).default(-2),
  }),
  traits: { gate: ['correctness'] },
  score(input, options) {
    const verdict = groundednessOf(input);
    if (!verdict.applies) return null;
    return verdict.grounded ? options.grounded : options.ungrounded;
  },
});
