import { sameAnswer } from '../answers/equal';
import { extractAnswer } from '../answers/extract';
import { type Groundedness, groundedness } from '../chain/grounded';
import type { Chain } from '../chain/types';

/** What a reward is computed from: one completion of one problem. */
export interface RewardInput {
  problem: {
    question: string;
    /** The reference answer. */
    answer: string;
    /** The teacher's chain, where one is known. */
    teacher?: Chain;
    /** Its length in the student's tokens, without end token. */
    teacherTokens?: number;
    /** Steps of the teacher's chain were shown to be completed, so that repeating them is what was asked. */
    completesSteps?: boolean;
  };
  completion: {
    text: string;
    /** The student's tokens, without end token. */
    tokens: readonly number[];
    /** Whether the end token came within the budget. */
    finished: boolean;
  };
  /** All completions of the same prompt, this one among them. */
  group?: readonly RewardInput[];
}

export interface Judgement {
  extraction: 'strict' | 'lenient';
  /** A completion that was cut off can be right. */
  acceptTruncated: boolean;
}

const strict: Judgement = { extraction: 'strict', acceptTruncated: false };
const judged = new WeakMap<RewardInput, boolean>();

/**
 * Whether the completion's answer is right. By default strictly: behind an answer mark or in a box, and a completion
 * that was cut off is wrong, because short output is the goal.
 */
export function isRight(input: RewardInput, judgement = strict): boolean {
  const known = judgement === strict ? judged.get(input) : undefined;
  if (known !== undefined) return known;
  const { problem, completion } = input;
  const answer =
    completion.finished || judgement.acceptTruncated ? extractAnswer(completion.text, judgement.extraction) : null;
  const right = answer !== null && sameAnswer(answer.value, problem.answer);
  // Components that look at the whole group ask this of each member again and again.
  if (judgement === strict) judged.set(input, right);
  return right;
}

const grounds = new WeakMap<RewardInput, Groundedness>();

/** Whether the completion's steps arrive at its answer. */
export function groundednessOf(input: RewardInput): Groundedness {
  const known = grounds.get(input);
  if (known) return known;
  const { question, teacher, completesSteps } = input.problem;
  const found = groundedness(question, input.completion.text, teacher, completesSteps);
  grounds.set(input, found);
  return found;
}

/** The completions to compare with: the group, or this one alone. */
export const groupOf = (input: RewardInput): readonly RewardInput[] => input.group ?? [input];

/** Length in tokens. */
export const lengthOf = (input: RewardInput): number => input.completion.tokens.length;

/** Numbers of the "Step k:" marks in a text, in the order they stand. */
export function stepMarks(text: string): { number: number; index: number }[] {
  return Array.from(text.matchAll(/(?<![\p{L}\p{N}])Step ?(\d{1,4}) ?:/giu), (match) => ({
    number: Number(match[1]),
    index: match.index,
  }));
}
