/**
 * The rewards of BRIDGE's release (arXiv 2602.17686; github Applied-Machine-Learning-Lab/SDM2026_BRIDGE at 86b5330),
 * with all constants as settings. Lengths are words separated by white space. Answers are compared by our own rules,
 * not by the release's, which truncates numbers at commas.
 */
import { renderChain } from '../chain/prompts';
import type { Chain } from '../chain/types';
import { number, share, whole } from '../fields';
import { component, type Options } from './component';
import { isRight, type RewardInput, stepMarks } from './input';

const countWords = (text: string) => text.split(/\s+/).filter(Boolean).length;

/** Right by any number at the end of the text, because a missing answer mark is an error of form here. */
const right = (input: RewardInput) => isRight(input, { extraction: 'lenient', acceptTruncated: true });

/** A step mark, and an answer mark or box. */
const wellFormed = (text: string) => stepMarks(text).length > 0 && /\\boxed\{|answer\s{0,4}:/i.test(text);

/** Answer, then form, then length, which counts 0 without a teacher chain. */
function answerThenForm(
  input: RewardInput,
  options: { wrong: number; malformed: number; right: number },
  length: (text: string, teacher: Chain) => number,
): number {
  const { text } = input.completion;
  if (!right(input)) return options.wrong;
  if (!wellFormed(text)) return options.malformed;
  const { teacher } = input.problem;
  return options.right + (teacher ? length(text, teacher) : 0);
}

const stage2Options = () => ({
  wrong: number('Value of a wrong answer.').default(-2),
  malformed: number('Value of a right answer without a step mark or an answer mark.').default(-1),
  right: number('Value of a right answer in the right form, before the length terms.').default(1),
  stepBonus: number("Value of each step saved compared with the teacher's chain.").default(0.3),
  maxSteps: whole('Maximum number of saved steps that count.').default(3),
  wordsPerStep: number('Words allowed for each teacher step; their product is the budget B.', {
    above: 0,
  }).default(35),
  knee: share('Share of B above which words cost.').default(0.8),
  bonus: number('Value of each word saved below knee * B.', { min: 0 }).default(0.001),
  maxBonus: number('Highest value of saved words.', { min: 0 }).default(0.2),
  near: number('Cost of each word between knee * B and B.', { min: 0 }).default(0.002),
  over: number('Cost of each word beyond B (counted from B: the release jumps there).', { min: 0 }).default(0.01),
  floor: number('Lowest value of the word term beyond B.', { max: 0 }).default(-1),
});
type Stage2Options = Options<ReturnType<typeof stage2Options>>;

/** Stage 2: answer, then form, then steps and words. Without a teacher chain the length terms are 0. */
export const bridgeStage2 = component({
  name: 'bridgeStage2',
  description: "Hierarchical reward of BRIDGE's release for Stage 2: answer, then form, then steps and words.",
  options: stage2Options,
  traits: { judgesAnswer: true, asksForSteps: true },
  score: (input, options) =>
    answerThenForm(input, options, (text, teacher) => {
      const lengths = { teacherSteps: teacher.steps.length, steps: stepMarks(text).length, words: countWords(text) };
      return stage2Length(lengths, options);
    }),
});

export function stage2Length(
  { teacherSteps, steps, words }: { teacherSteps: number; steps: number; words: number },
  options: Stage2Options,
): number {
  const { stepBonus, maxSteps, wordsPerStep, knee, bonus, maxBonus, near, over, floor } = options;
  const budget = wordsPerStep * teacherSteps;
  const spare = knee * budget - words;
  const saved = stepBonus * Math.min(Math.max(teacherSteps - steps, 0), maxSteps);
  // The release jumps up at the budget: exceeding it by one word costs `over`, which is less than the cost of all words
  // up to it.
  if (words > budget) return saved + Math.max(-over * (words - budget), floor);
  return saved + (spare < 0 ? near * spare : Math.min(bonus * spare, maxBonus));
}

const stage3Options = () => ({
  wrong: number('Value of a wrong answer.').default(-2),
  malformed: number('Value of a right answer without a step mark or an answer mark.').default(-1),
  right: number('Value of a right answer in the right form, before the length term.').default(1),
  over: number('Cost of being twice as long as the teacher, which is the maximum.', { min: 0 }).default(0.5),
  knee: share('Share of the length below which shorter texts earn.').default(0.8),
  half: share('Share of the length at which `bonus` is reached.').default(0.5),
  bonus: number('Value at `half`.', { min: 0 }).default(0.5),
  extra: number('Highest value beyond that.', { min: 0 }).default(0.3),
  span: number('Share of the length below `half` over which `extra` is earned.', { above: 0, max: 1 }).default(0.3),
});
type Stage3Options = Options<ReturnType<typeof stage3Options>>;

/**
 * Stage 3: answer, then form, then words against the teacher's whole chain. Without a teacher chain the length term is
 * 0.
 */
export const bridgeStage3 = component({
  name: 'bridgeStage3',
  description:
    "Reward of BRIDGE's release for Stage 3: answer, then form, then words against the teacher's whole chain.",
  options: stage3Options,
  traits: { judgesAnswer: true, asksForSteps: true },
  score: (input, options) =>
    answerThenForm(input, options, (text, teacher) =>
      stage3Length(countWords(text) / countWords(renderChain(teacher)), options),
    ),
});

/** `ratio`: words of the completion divided by words of the teacher. */
export function stage3Length(ratio: number, options: Stage3Options): number {
  const { over, knee, half, bonus, extra, span } = options;
  if (ratio > 1) return -over * Math.min(ratio - 1, 1);
  if (ratio <= half) return bonus + extra * Math.min((half - ratio) / span, 1);
  return ratio > knee ? 0 : (bonus * (knee - ratio)) / (knee - half);
}
