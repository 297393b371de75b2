import { component } from './component';
import { groupOf, isRight, lengthOf } from './input';

/** Kimi k1.5's length reward (arXiv 2501.12599, 2.3.3): relative to the shortest and longest of the group. */
export const kimi = component({
  name: 'kimi',
  description:
    'Length relative to the group: 0.5 for the shortest to -0.5 for the longest, wrong ' +
    'ones at most 0 (Kimi k1.5, arXiv 2501.12599).',
  options: () => ({}),
  traits: { judgesAnswer: true },
  score(input) {
    const lengths = groupOf(input).map(lengthOf);
    const [shortest, longest] = [Math.min(...lengths), Math.max(...lengths)];
    if (shortest === longest) return 0;
    const value = 0.5 - (lengthOf(input) - shortest) / (longest - shortest);
    return isRight(input) ? value : Math.min(0, value);
  },
});
