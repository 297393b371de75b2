import { sameAnswer } from '../answers/equal';
import { datasetError, type Row, type RowPlace, requiredText } from './rows';
import type { Problem, RecordedAnswer } from './types';

/**
 * A row of a `*.chains.jsonl` file: `{id, question, answer, chain?, student?, meta?}`; other keys go into `meta`.
 * @throws UserError when question, answer or id is missing, or for another format
 */
export function chainsProblem(row: Row, place: RowPlace): Problem {
  if (row.id === undefined) refuseOtherFormats(row, place);
  const { id: _id, question: _question, answer: _answer, chain, student, meta, ...others } = row;
  if (chain !== undefined && chain !== null && typeof chain !== 'string')
    throw datasetError('"chain" is not a text', place, 'Write the chain as one text, or remove it.');
  if (meta !== undefined && (typeof meta !== 'object' || meta === null || Array.isArray(meta)))
    throw datasetError('"meta" is not an object', place, 'Write it in { }, or remove it.');
  const answer = requiredText(row, 'answer', place);
  const problem: Problem = {
    id: requiredText(row, 'id', place),
    question: requiredText(row, 'question', place),
    answer,
  };
  if (typeof chain === 'string' && chain.trim() !== '') problem.chain = chain;
  if (student !== undefined) problem.student = recordedAnswerOf(student, answer, place);
  if (meta !== undefined || Object.keys(others).length > 0) problem.meta = { ...others, ...(meta as object) };
  return problem;
}

/** A recorded answer of a student. */
export function recordedAnswerOf(value: unknown, answer: string, place: RowPlace): RecordedAnswer {
  const student = (value ?? {}) as Partial<RecordedAnswer>;
  if (typeof student.text !== 'string')
    throw datasetError(
      '"student" has no "text"',
      place,
      'Write it as {"text": ..., "answer"?: ..., "tokens"?: ..., "finished"?: ...}.',
    );
  return {
    text: student.text,
    ...(student.answer !== undefined && { answer: String(student.answer) }),
    ...(typeof student.tokens === 'number' && { tokens: student.tokens }),
    ...(typeof student.finished === 'boolean' && { finished: student.finished }),
    correct: student.answer !== undefined && sameAnswer(String(student.answer), answer),
  };
}

function refuseOtherFormats(row: Row, place: RowPlace): void {
  if (typeof row.answer === 'string' && /^####/m.test(row.answer))
    throw datasetError(
      'the row has no "id", and its answer ends in "#### n": this looks like GSM8K',
      place,
      'Set "format": "gsm8k".',
    );
  throw datasetError('the row has no "id"', place, 'Give every row an id of its own.');
}
