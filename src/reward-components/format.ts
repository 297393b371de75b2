import { extractAnswer } from '../answers/extract';
import { flag, number } from '../fields';
import { component } from './component';
import { stepMarks } from './input';

/** Steps marked 1, 2, 3 ... and an answer after its mark. */
export const format = component({
  name: 'format',
  description: 'Steps marked and numbered in order ("Step 1:", "Step 2:", ...) and an answer mark after them.',
  options: () => ({
    valid: number('Value of the right form.').default(1),
    malformed: number('Value of any other form.').default(-1),
    steps: flag('Needs step marks.').default(true),
    answer: flag('Needs an answer mark after the last step.').default(true),
  }),
  traits: { highest: ({ valid, malformed }) => Math.max(valid, malformed) },
  score({ completion }, options) {
    const marks = stepMarks(completion.text);
    const inOrder = marks.length > 0 && marks.every(({ number }, i) => number === i + 1);
    const answer = extractAnswer(completion.text, 'strict');
    const answered = answer !== null && answer.start > (marks.at(-1)?.index ?? -1);
    return (inOrder || !options.steps) && (answered || !options.answer) ? options.valid : options.malformed;
  },
});
