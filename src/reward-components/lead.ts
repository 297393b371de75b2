import { number } from '../fields';
import { deviation, mean } from '../statistics';
import { component } from './component';
import { groupOf, isRight, lengthOf } from './input';

/**
 * Length part of GRPO-LEAD (arXiv 2504.09696): z-score over the right answers of the group, standard deviation with n -
 * 1.
 */
export const lead = component({
  name: 'lead',
  description:
    'exp(-decay * z), z = length among the right answers of the group in ' +
    'standard deviations; wrong: -1 (GRPO-LEAD, arXiv 2504.09696).',
  options: () => ({
    decay: number('Strength of the length term.', { min: 0 }).default(0.05),
    wrong: number('Value of a wrong answer.').default(-1),
  }),
  traits: { judgesAnswer: true },
  score(input, { decay, wrong }) {
    if (!isRight(input)) return wrong;
    const lengths = groupOf(input)
      .filter((member) => isRight(member))
      .map(lengthOf);
    return Math.exp((-decay * (lengthOf(input) - mean(lengths))) / (deviation(lengths) + 1e-6));
  },
});
