import { number } from '../fields';
import { component, maxTokens } from './component';
import { isRight, lengthOf } from './input';

/**
 * Cosine-scaled reward (arXiv 2502.03373). Lengths are clamped to the limit, after which the cosine would rise again.
 */
export const cosine = component({
  name: 'cosine',
  description: 'Right answers lose value with length and wrong ones gain, along half a cosine (arXiv 2502.03373).',
  options: () => ({
    maxTokens: maxTokens(),
    rightShort: number('Value of the shortest right answer.').default(1),
    rightLong: number('Value of the longest right answer.').default(0.5),
    wrongShort: number('Value of the shortest wrong answer.').default(-1),
    wrongLong: number('Value of the longest wrong answer.').default(-0.5),
  }),
  traits: { judgesAnswer: true },
  score(input, options) {
    const [short, long] = isRight(input)
      ? [options.rightShort, options.rightLong]
      : [options.wrongShort, options.wrongLong];
    const progress = Math.min(lengthOf(input), options.maxTokens) / options.maxTokens;
    return long + ((short - long) / 2) * (1 + Math.cos(Math.PI * progress));
  },
});
