import { sameAnswer } from '../answers/equal';
import { extractAnswer } from '../answers/extract';
import { type Groundedness, groundedness } from '../chain/grounded';
import type { Chain } from '../chain/types';

export interface RewardInput {
  problem: {
    question: string;
    /** The reference answer. */
    answer: string;
    /** The teacher's chain, if there is one. */
    teacher?: Chain;
    /** Its length in the student's tokens, without the end token. */
    teacherTokens?: number;
    /** Steps of the teacher's chain were in the prompt, so repeating them is expected. */
    completesSteps?: boolean;
  };
  completion: {
    text: string;
    /** The student's tokens, without end token. */
    tokens: readonly number[];
    /** Whether it ended within the budget with the end token. */
    finished: boolean;
  };
  /** Values of its components in code by their names, which are computed before (score.ts). */
  code?: Readonly<Record<string, number | null>>;
  /** All completions of the same prompt, including this one. */
  group?: readonly RewardInput[];
}

interface Judgement {
  extraction: 'strict' | 'lenient';
  /** A completion that was cut off can be right. */
  acceptTruncated: boolean;
}

const strict: Judgement = { extraction: 'strict', acceptTruncated: false };
const judged = new WeakMap<RewardInput, boolean>();

/**
 * Whether the completion's answer is right. Strict by default: after an answer mark or in a box, and a completion that
 * was cut off is wrong, because short output is the goal.
 */
export function isRight(input: RewardInput, judgement = strict): boolean {
  const known = judgement === strict ? judged.get(input) : undefined;
  if (known !== undefined) return known;
  const { problem, completion } = input;
  const answer =
    completion.finished || judgement.acceptTruncated ? extractAnswer(completion.text, judgement.extraction) : null;
  const right = answer !== null && sameAnswer(answer.value, problem.answer);
  // Cached, as components over the whole group use it for each member.
  if (judgement === strict) judged.set(input, right);
  return right;
}

const groundednessCache = new WeakMap<RewardInput, Groundedness>();

/** Whether the completion's steps lead to its answer. */
export function groundednessOf(input: RewardInput): Groundedness {
  const known = groundednessCache.get(input);
  if (known) return known;
  const { question, teacher, completesSteps } = input.problem;
  const found = groundedness(question, input.completion.text, teacher, completesSteps);
  groundednessCache.set(input, found);
  return found;
}

/** The completions to compare with: the group, or only this one. */
export const groupOf = (input: RewardInput): readonly RewardInput[] => input.group ?? [input];

/** Length in tokens. */
export const lengthOf = (input: RewardInput): number => input.completion.tokens.length;

/** Numbers of the "Step k:" marks in a text, in order. */
export function stepMarks(text: string): { number: number; index: number }[] {
  return Array.from(text.matchAll(/(?<![\p{L}\p{N}])Step ?(\d{1,4}) ?:/giu), (match) => ({
    number: Number(match[1]),
    index: match.index,
  }));
}
