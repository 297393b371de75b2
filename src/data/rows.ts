/** What all readers of datasets share: ranges of rows, and messages that name the row. */
import { UserError } from '../errors';
import { parseJson, readLines } from '../lines';
import type { Problem } from './types';

/** Which rows to read: `start` are skipped, then at most `count` are taken. */
export interface Range {
  start?: number;
  count?: number;
}

export type Row = Record<string, unknown>;

/** Where a row stands, for messages. */
export interface Place {
  file: string;
  line?: number;
}

/** A UserError of a dataset. */
export function datasetError(message: string, place: Place, remedy: string): UserError {
  return new UserError(message, { ...place, remedy, code: 'dataset' });
}

/** Problems of the JSON lines of a file; blank lines do not count as rows. `toProblem` gets the row and its index from 0. */
export function readJsonLines(
  file: string,
  range: Range,
  toProblem: (row: Row, place: Place, index: number) => Problem,
): Problem[] {
  const { start = 0, count = Number.POSITIVE_INFINITY } = range;
  const problems: Problem[] = [];
  let index = 0;
  for (const { text, number } of readLines(file)) {
    if (problems.length === count) break;
    if (text.trim() === '') continue;
    if (index === 0 && text.trimStart().startsWith('['))
      throw datasetError('this is a JSON array, not JSON lines', { file, line: number }, arrayRemedy);
    const place = { file, line: number };
    if (index >= start)
      problems.push(toProblem(asRow(parseJson(text, { ...place, code: 'dataset' }), place), place, index));
    index++;
  }
  return checkProblems(problems, file, index, start);
}

const arrayRemedy =
  'If it is BRIDGE\'s stage3_error_samples.json, set "format": "bridge"; otherwise write one JSON object a line.';

export function asRow(value: unknown, place: Place, name = 'the line'): Row {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw datasetError(
      `${name} is not a JSON object`,
      place,
      'A row is an object such as {"question": ..., "answer": ...}.',
    );
  return value as Row;
}

/** A text of a row that must be there; a number is taken as its digits. */
export function textOf(row: Row, key: string, place: Place, name = 'the row'): string {
  const value = typeof row[key] === 'number' ? String(row[key]) : row[key];
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  const fault =
    value === undefined ? 'has no' : typeof value === 'string' ? 'has an empty' : 'has something else than a text as';
  throw datasetError(`${name} ${fault} "${key}"`, place, `Give it a "${key}", or remove the row.`);
}

/** Refuses empty datasets and ids that come twice. */
export function checkProblems(problems: Problem[], file: string, rows: number, start: number): Problem[] {
  if (problems.length === 0)
    throw datasetError(
      rows === 0 ? 'the dataset is empty' : `no rows are left: the file has ${rows}, and ${start} are skipped`,
      { file },
      rows === 0 ? 'Give a file with at least one row.' : 'Lower "start".',
    );
  const seen = new Set<string>();
  for (const { id } of problems) {
    if (seen.has(id)) throw datasetError(`the id "${id}" comes twice`, { file }, 'Every row needs an id of its own.');
    seen.add(id);
  }
  return problems;
}
