import { choice, flag, number } from '../fields';
import { component } from './component';
import { isRight } from './input';

/** `right` or `wrong`; null when the problem has no reference answer. */
export const correctness = component({
  name: 'correctness',
  description: 'Right or wrong final answer, compared as exact numbers.',
  options: () => ({
    right: number('Value of a right answer.').default(1),
    wrong: number('Value of a wrong or missing answer.').default(0),
    extraction: choice('Where the answer is searched.', {
      strict: 'Only after an answer mark or in a box.',
      lenient: 'If there is none, the last number of the text.',
    }).default('strict'),
    acceptTruncated: flag('A completion that was cut off can be right.').default(false),
  }),
  traits: { judgesAnswer: true, highest: ({ right, wrong }) => Math.max(right, wrong) },
  score(input, options) {
    if (input.problem.answer.trim() === '') return null;
    return isRight(input, options) ? options.right : options.wrong;
  },
});
