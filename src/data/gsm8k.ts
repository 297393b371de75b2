import { parseAnswer } from '../answers/equal';
import { stripCalculatorMarks } from '../chain/split';
import { datasetError, type Row, type RowPlace, requiredText } from './rows';
import type { Problem } from './types';

/**
 * A row of GSM8K's published files (arXiv 2110.14168): `{question, answer}`. The chain is the solution without
 * calculator marks, the answer is the number after "####" without thousands commas; `meta.marked` has the solution with
 * marks. Ids are the file's name and the row number from 0, such as `train-17`.
 */
export function gsm8kProblem(row: Row, place: RowPlace, id: string): Problem {
  const marked = requiredText(row, 'answer', place);
  const gold = /(?:^|\n)####[ \t]*([^\n]+)$/.exec(marked)?.[1].trim();
  if (gold === undefined && row.id !== undefined)
    throw datasetError('the answer does not end in "#### n": this looks like chains', place, 'Set "format": "chains".');
  if (gold === undefined || !parseAnswer(gold))
    throw datasetError('the answer does not end in a line "#### n" with a number', place, 'Correct or remove the row.');
  return {
    id,
    question: requiredText(row, 'question', place),
    answer: gold.replace(/,(?=\d{3}(?:\D|$))/g, ''),
    chain: stripCalculatorMarks(marked),
    meta: { marked },
  };
}
