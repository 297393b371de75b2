import { extractAnswer } from '../answers/extract';
import { checkEquations } from '../arithmetic/calculator';
import type { ComponentOptions } from '../config/components';
import { groundednessOf, isRight, type RewardInput, stepMarks } from './input';

/** `right` or `wrong`; null when the problem has no reference answer. */
export function correctness(input: RewardInput, options: ComponentOptions<'correctness'>): number | null {
  if (input.problem.answer.trim() === '') return null;
  return isRight(input, options) ? options.right : options.wrong;
}

/** `grounded` or `ungrounded`; null if there is no verdict (src/chain/grounded.ts). */
export function grounded(input: RewardInput, options: ComponentOptions<'grounded'>): number | null {
  const verdict = groundednessOf(input);
  if (!verdict.applies) return null;
  return verdict.grounded ? options.grounded : options.ungrounded;
}

/** Steps marked 1, 2, 3 ... and an answer after its mark. */
export function format({ completion }: RewardInput, options: ComponentOptions<'format'>): number {
  const marks = stepMarks(completion.text);
  const inOrder = marks.length > 0 && marks.every(({ number }, i) => number === i + 1);
  const answer = extractAnswer(completion.text, 'strict');
  const answered = answer !== null && answer.start > (marks.at(-1)?.index ?? -1);
  return (inOrder || !options.steps) && (answered || !options.answer) ? options.valid : options.malformed;
}

/** Share of true equations; null without any. */
export function stepValidity({ completion }: RewardInput): number | null {
  const equations = checkEquations(completion.text);
  return equations.length === 0 ? null : equations.filter(({ correct }) => correct).length / equations.length;
}

/** -(1 - distinct/total) * penalty over n-grams of token ids (arXiv 2502.03373); 0 for fewer than n tokens. */
export function repetition({ completion }: RewardInput, { n, penalty }: ComponentOptions<'repetition'>): number {
  const total = completion.tokens.length - n + 1;
  if (total <= 0) return 0;
  const distinct = new Set(Array.from({ length: total }, (_, i) => completion.tokens.slice(i, i + n).join()));
  return (distinct.size / total - 1) * penalty;
}

/** `each` times the occurrences of the texts, at most `most` of them. */
export function phrases({ completion }: RewardInput, { texts, each, most }: ComponentOptions<'phrases'>): number {
  const lower = completion.text.toLowerCase();
  const wanted = new Set(texts.map((text) => text.toLowerCase()));
  let count = 0;
  for (const text of wanted) count += lower.split(text).length - 1;
  return each * Math.min(count, most);
}
