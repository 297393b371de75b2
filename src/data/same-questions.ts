/** Questions that stand in the data more than once: in train and test, or with two answers. */
import { sameAnswer } from '../answers/equal';
import type { Problems } from './problems';
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
export function sameQuestionNotes(train: Problems, test: Problems, validation: number): string[] {
  const taught = Math.max(0, train.length - validation);
  const firsts = new Map<string, Brief>();
  const conflicts: [Brief, Brief][] = [];
  for (const { id, question, answer } of train.slice(0, taught)) {
    const key = plainQuestion(question);
    const first = firsts.get(key);
    if (!first) firsts.set(key, { id, answer });
    else if (!sameAnswer(first.answer, answer)) conflicts.push([first, { id, answer }]);
  }
  return [
    repeated(test, firsts, 'test', 'the test would flatter the student'),
    repeated(train.slice(taught), firsts, 'validation', 'checkpoints would be chosen by what was learned by heart'),
    conflicting(conflicts, taught),
  ].flatMap((note) => note ?? []);
}

/** What is remembered of a problem. */
type Brief = Pick<Problem, 'id' | 'answer'>;

function repeated(rows: Problems, firsts: Map<string, Brief>, name: string, why: string): string | undefined {
  const found = rows.flatMap(({ id, question }) => {
    const first = firsts.get(plainQuestion(question));
    return first ? [`${id} is ${first.id}`] : [];
  });
  if (found.length === 0) return undefined;
  return `${found.length} of ${rows.length} ${name} questions are training questions, too (${found[0]}): ${why}. Leave them out of one of the two.`;
}

function conflicting(conflicts: readonly (readonly [Brief, Brief])[], rows: number): string | undefined {
  if (conflicts.length === 0) return undefined;
  const [[first, second]] = conflicts;
  return `${conflicts.length} of ${rows} training rows ask a question again, with another answer (${first.id}: ${first.answer}, ${second.id}: ${second.answer}). One of them is wrong: leave it out.`;
}
