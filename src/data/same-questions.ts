/** Questions that stand in the data more than once: in train and test, or with two answers. */
import { sameAnswer } from '../chain/answer';
import type { Problem } from './types';

/** A question as it is compared: letters, numbers and operators, without case, spacing, punctuation and ways to write a character. */
export function plainQuestion(question: string): string {
  return question
    .normalize('NFKC')
    .toLowerCase()
    .replace(/(?<!\d)[.,](?!\d)|[.,](?!\d)|(?<!\d)[.,]/g, ' ')
    .replace(/[^\p{L}\p{M}\p{N}.,+*/=<>^%√π-]+/gu, ' ')
    .trim();
}

/** What the user should know of the questions that train (its last rows held out for validation) and test share. */
export function sameQuestionNotes(train: readonly Problem[], test: readonly Problem[], validation: number): string[] {
  const learned = train.slice(0, Math.max(0, train.length - validation));
  const firsts = new Map<string, Problem>();
  const conflicts: [Problem, Problem][] = [];
  for (const problem of learned) {
    const key = plainQuestion(problem.question);
    const first = firsts.get(key);
    if (!first) firsts.set(key, problem);
    else if (!sameAnswer(first.answer, problem.answer)) conflicts.push([first, problem]);
  }
  const held = train.slice(learned.length);
  return [
    repeated(test, firsts, 'test', 'the test would flatter the student'),
    repeated(held, firsts, 'validation', 'checkpoints would be chosen by what was learned by heart'),
    conflicting(conflicts, learned.length),
  ].flatMap((note) => note ?? []);
}

function repeated(rows: readonly Problem[], firsts: Map<string, Problem>, name: string, why: string) {
  const found = rows.flatMap((row) => {
    const first = firsts.get(plainQuestion(row.question));
    return first ? [[row, first]] : [];
  });
  if (found.length === 0) return undefined;
  const [[row, first]] = found;
  return `${found.length} of ${rows.length} ${name} questions are training questions, too (${row.id} is ${first.id}): ${why}. Leave them out of one of the two.`;
}

function conflicting(conflicts: readonly (readonly [Problem, Problem])[], rows: number): string | undefined {
  if (conflicts.length === 0) return undefined;
  const [[first, second]] = conflicts;
  return `${conflicts.length} of ${rows} training rows ask a question again, with another answer (${first.id}: ${first.answer}, ${second.id}: ${second.answer}). One of them is wrong: leave it out.`;
}
