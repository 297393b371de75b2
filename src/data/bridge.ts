import { closeSync, fstatSync, readFileSync } from 'node:fs';
import { sameAnswer } from '../chain/answer';
import { openForReading, parseJson } from '../lines';
import { asRow, checkProblems, datasetError, type Range, textOf } from './rows';
import type { Problem } from './types';

/** The whole array is read at once; BRIDGE's own file has 1.6 MB. */
const maxBytes = 256 * 1024 * 1024;

/** The length cap of the release's responses: one that long was cut off (128 of its 568 are). */
const tokenBudget = 400;

/**
 * Failures of BRIDGE's Stage 2 student (stage3_error_samples.json of its release): an array of rows with idx, question, gold_answer,
 * predicted_answer, is_correct, token_count, response and teacher_cot. The release compared answers as texts: `student.correct` says
 * which rows are right as numbers all the same ("42.00" for 42), `meta.markedCorrect` what the file says.
 */
export function readBridge(file: string, range: Range = {}): Problem[] {
  const { start = 0, count = Number.POSITIVE_INFINITY } = range;
  const text = readAll(file);
  const value = parseArray(text, file);
  const rows = value.slice(start, start + count);
  const problems = rows.map((item, i): Problem => {
    const name = `row ${start + i + 1}`;
    const row = asRow(item, { file }, name);
    if (row.gold_answer === undefined && row.answer !== undefined)
      throw datasetError(
        `${name} has "answer" instead of "gold_answer": this is not BRIDGE's file`,
        { file },
        linesRemedy,
      );
    const answer = textOf(row, 'gold_answer', { file }, name);
    const predicted =
      typeof row.predicted_answer === 'string' && row.predicted_answer !== '' ? row.predicted_answer : undefined;
    return {
      id: `bridge-${textOf(row, 'idx', { file }, name)}`,
      question: textOf(row, 'question', { file }, name),
      answer,
      chain: textOf(row, 'teacher_cot', { file }, name),
      student: {
        text: textOf(row, 'response', { file }, name),
        ...(predicted !== undefined && { answer: predicted }),
        ...(typeof row.token_count === 'number' && {
          tokens: row.token_count,
          finished: row.token_count < tokenBudget,
        }),
        correct: predicted !== undefined && sameAnswer(predicted, answer),
      },
      meta: { idx: row.idx, markedCorrect: row.is_correct },
    };
  });
  return checkProblems(problems, file, value.length, start);
}

const linesRemedy = 'For JSON lines set "format" to "chains" ({id, question, answer, chain?}) or "gsm8k".';

function readAll(file: string): string {
  const handle = openForReading(file);
  try {
    if (fstatSync(handle).size > maxBytes)
      throw datasetError(
        `the file is larger than ${maxBytes} bytes`,
        { file },
        'Write large datasets as *.chains.jsonl.',
      );
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}

function parseArray(text: string, file: string): unknown[] {
  if (text.trim() === '') return [];
  if (text.trimStart().startsWith('{'))
    throw datasetError("this is not a JSON array, as BRIDGE's file is", { file }, linesRemedy);
  const value = parseJson(text, { file, code: 'dataset' });
  if (!Array.isArray(value)) throw datasetError("this is not a JSON array, as BRIDGE's file is", { file }, linesRemedy);
  return value;
}
