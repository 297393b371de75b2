/**
 * The rewards of BRIDGE's release (arXiv 2602.17686; github Applied-Machine-Learning-Lab/SDM2026_BRIDGE at 86b5330),
 * with all constants as settings. Lengths are words separated by white space. Answers are compared by our own rules,
 * not by the release's, which truncates numbers at commas.
 */
import { renderChain } from '../chain/prompts';
import type { ComponentOptions } from '../config/components';
import { isRight, type RewardInput, stepMarks } from './input';

const countWords = (text: string) => text.split(/\s+/).filter(Boolean).length;

/** Right by any number at the end of the text, because a missing answer mark is an error of form here. */
const right = (input: RewardInput) => isRight(input, { extraction: 'lenient', acceptTruncated: true });

/** A step mark, and an answer mark or box. */
const wellFormed = (text: string) => stepMarks(text).length > 0 && /\\boxed\{|answer\s{0,4}:/i.test(text);

/** Stage 2: answer, then form, then steps and words. Without a teacher chain the length terms are 0. */
export function bridgeStage2(input: RewardInput, options: ComponentOptions<'bridgeStage2'>): number {
  const { text } = input.completion;
  if (!right(input)) return options.wrong;
  if (!wellFormed(text)) return options.malformed;
  const { teacher } = input.problem;
  if (!teacher) return options.right;
  const lengths = { teacherSteps: teacher.steps.length, steps: stepMarks(text).length, words: countWords(text) };
  return options.right + stage2Length(lengths, options);
}

export function stage2Length(
  { teacherSteps, steps, words }: { teacherSteps: number; steps: number; words: number },
  options: ComponentOptions<'bridgeStage2'>,
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

/**
 * Stage 3: answer, then form, then words against the teacher's whole chain. Without a teacher chain the length term is
 * 0.
 */
export function bridgeStage3(input: RewardInput, options: ComponentOptions<'bridgeStage3'>): number {
  const { text } = input.completion;
  if (!right(input)) return options.wrong;
  if (!wellFormed(text)) return options.malformed;
  const { teacher } = input.problem;
  return options.right + (teacher ? stage3Length(countWords(text) / countWords(renderChain(teacher)), options) : 0);
}

/** `ratio`: words of the completion divided by words of the teacher. */
export function stage3Length(ratio: number, options: ComponentOptions<'bridgeStage3'>): number {
  const { over, knee, half, bonus, extra, span } = options;
  if (ratio > 1) return -over * Math.min(ratio - 1, 1);
  if (ratio <= half) return bonus + extra * Math.min((half - ratio) / span, 1);
  return ratio > knee ? 0 : (bonus * (knee - ratio)) / (knee - half);
}
