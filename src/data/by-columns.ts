import { extractAnswer } from '../answers/extract';
import { stripCalculatorMarks } from '../chain/split';
import {
  bestGeneration,
  type Chosen,
  cellOf,
  conversationOf,
  isCutOff,
  plainMarks,
  textOf,
  withThinking,
} from './cells';
import { recordedAnswerOf } from './chains';
import type { SettledColumns } from './columns';
import { datasetError, type Place, type Row } from './rows';
import type { Problem } from './types';

/**
 * A row by its columns. An answer that is a worked solution gives the answer that it states, and is the chain where no
 * column holds one; without a column of answers the chain states it. Errors: a row without question or answer.
 */
export function problemOf(row: Row, columns: SettledColumns, place: Place, id: string): Problem {
  const need = (value: string | undefined, what: string): string => {
    if (value !== undefined && value !== '') return value;
    throw datasetError(
      `the row has no text as its ${what}`,
      place,
      'Mend or remove the row, or choose another column.',
    );
  };
  const told = (column: string | undefined, turn: 'user' | 'assistant' | 'system') =>
    column === undefined ? undefined : textOf(cellOf(row, column), turn);
  const question = [columns.question].flat().flatMap((column) => told(column, 'user') ?? []);
  const written = told(columns.answer, 'assistant');
  const stated = written !== undefined && /\s|\\boxed/.test(written) ? extractAnswer(written, 'strict') : null;
  const given = stated?.value ?? written;
  const found = chainOf(row, columns, given);
  const chosen = found?.cutOff ? undefined : found;
  const solution = stated && written!.length > stated.value.length + 20 ? stripCalculatorMarks(written!) : undefined;
  const chain = chosen?.chain ?? solution;
  const answer = columns.answer === undefined && chain !== undefined ? extractAnswer(chain, 'strict')?.value : given;
  const system = told(columns.system, 'system') ?? conversationOf(cellOf(row, [columns.question].flat()[0]))?.system;
  const student = columns.student === undefined ? undefined : cellOf(row, columns.student);
  return {
    id: columns.id === undefined ? id : need(told(columns.id, 'user'), 'id'),
    question: need(question.join('\n\n'), 'question'),
    answer: need(answer, 'answer'),
    ...(chain !== undefined && { chain }),
    ...(system !== undefined && { system }),
    ...(isFilled(student) && answer !== undefined && { student: recordedOf(student, answer, place) }),
    ...(found?.cutOff && { meta: { cutOff: true } }),
    ...(chosen?.verified && { meta: { verified: true } }),
  };
}

const isFilled = (value: unknown) => value !== undefined && value !== null && value !== '';

/** Ours, or the text alone. */
function recordedOf(cell: unknown, answer: string, place: Place) {
  if (typeof cell !== 'string') return recordedAnswerOf(cell, answer, place);
  const stated = extractAnswer(cell, 'strict')?.value;
  return recordedAnswerOf({ text: cell, ...(stated !== undefined && { answer: stated }) }, answer, place);
}

function chainOf(row: Row, columns: SettledColumns, answer: string | undefined): Chosen | undefined {
  if (columns.chain === undefined) return undefined;
  const cell = cellOf(row, columns.chain);
  if (Array.isArray(cell) && !conversationOf(cell)) return bestGeneration(cell, answer, row);
  const text = textOf(cell, 'assistant');
  if (text === undefined) return undefined;
  const thinking = columns.thinking === undefined ? undefined : textOf(cellOf(row, columns.thinking), 'assistant');
  const chain = plainMarks(withThinking(thinking, text)!);
  return { chain: stripCalculatorMarks(chain), verified: false, cutOff: isCutOff(chain) };
}
