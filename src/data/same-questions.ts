/** Finds questions that occur more than once in the data: in train and test, or with two answers. */
import { sameAnswer } from '../answers/equal';
import { type Problems, plainQuestion, questionKeys } from './problems';
import type { Problem } from './types';

/** Notes for the user about questions that train (with the last rows held out for validation) and test share. */
export function sameQuestionNotes(train: Problems, test: Problems, validation: number): string[] {
  const taught = Math.max(0, train.length - validation);
  const learned = train.slice(0, taught);
  const firsts = new Map<number, number>();
  const conflicts: [Problem, Problem][] = [];
  for (const [row, key] of questionKeys(learned).entries()) {
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, row);
    else {
      const pair: [Problem, Problem] = [learned.at(first)!, learned.at(row)!];
      if (isSame(...pair) && !sameAnswer(pair[0].answer, pair[1].answer)) conflicts.push(pair);
    }
  }
  const repeated = (rows: Problems, name: string, why: string): string | undefined => {
    const found = questionKeys(rows).flatMap((key, row) => {
      const first = firsts.get(key);
      const pair = first === undefined ? undefined : ([rows.at(row)!, learned.at(first)!] as const);
      return pair && isSame(...pair) ? [pair.map(({ id }) => id).join(' is ')] : [];
    });
    if (found.length === 0) return undefined;
    return (
      `${found.length} of ${rows.length} ${name} questions are training questions, ` +
      `too (${found[0]}): ${why}. Remove them from one of the two.`
    );
  };
  return [
    repeated(test, 'test', 'the test would overestimate the student'),
    repeated(train.slice(taught), 'validation', 'checkpoints would be selected by memorized answers'),
    conflicting(conflicts, taught),
  ].flatMap((note) => note ?? []);
}

const isSame = (a: Problem, b: Problem) => plainQuestion(a.question) === plainQuestion(b.question);

function conflicting(conflicts: readonly (readonly [Problem, Problem])[], rows: number): string | undefined {
  if (conflicts.length === 0) return undefined;
  const [[first, second]] = conflicts;
  return (
    `${conflicts.length} of ${rows} training rows repeat a question ` +
    `with another answer (${first.id}: ${first.answer}, ${second.id}: ` +
    `${second.answer}). One of them is wrong: remove it.`
  );
}
