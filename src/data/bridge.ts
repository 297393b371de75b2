import { sameAnswer } from '../answers/equal';
import { datasetError, type Row, type RowPlace, requiredText } from './rows';
import type { Problem } from './types';

/** The length limit of the release's responses; those that reach it were cut off (128 of 568). */
const tokenBudget = 400;

/**
 * A failure of BRIDGE's Stage 2 student (stage3_error_samples.json of its release): idx, question, gold_answer,
 * predicted_answer, is_correct, token_count, response and teacher_cot. The release compared answers as texts:
 * `student.correct` marks rows that are right as numbers ("42.00" for 42), `meta.markedCorrect` is the file's verdict.
 */
export function bridgeProblem(row: Row, place: RowPlace): Problem {
  if (row.gold_answer === undefined && row.answer !== undefined)
    throw datasetError(
      'the row has "answer" instead of "gold_answer": this is not BRIDGE\'s file',
      place,
      'Set "format" to "rows", which guesses the columns.',
    );
  const answer = requiredText(row, 'gold_answer', place);
  const predicted =
    typeof row.predicted_answer === 'string' && row.predicted_answer !== '' ? row.predicted_answer : undefined;
  return {
    id: `bridge-${requiredText(row, 'idx', place)}`,
    question: requiredText(row, 'question', place),
    answer,
    chain: requiredText(row, 'teacher_cot', place),
    student: {
      text: requiredText(row, 'response', place),
      ...(predicted !== undefined && { answer: predicted }),
      ...(typeof row.token_count === 'number' && {
        tokens: row.token_count,
        finished: row.token_count < tokenBudget,
      }),
      correct: predicted !== undefined && sameAnswer(predicted, answer),
    },
    meta: { idx: row.idx, markedCorrect: row.is_correct },
  };
}
