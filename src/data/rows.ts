/** What all readers of datasets share: ranges of rows, and messages that name the row. */
import { UserError } from '../errors';

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
  /** From 1, of files without lines. */
  row?: number;
}

/** A UserError of a dataset. */
export function datasetError(message: string, { file, line }: Place, remedy: string): UserError {
  return new UserError(message, { file, line, remedy, code: 'dataset' });
}

export function asRow(value: unknown, place: Place): Row {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw datasetError(
      'the row is not a JSON object',
      place,
      'A row is an object such as {"question": ..., "answer": ...}.',
    );
  return value as Row;
}

/**
 * A text of a row that must be there; a number or a truth value is taken as it is written, a list of one as its item.
 */
export function textOf(row: Row, key: string, place: Place): string {
  const cell = row[key];
  const only = Array.isArray(cell) && cell.length === 1 ? cell[0] : cell;
  const value = typeof only === 'number' || typeof only === 'boolean' ? String(only) : only;
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  let fault = 'has something else than a text as';
  if (value === undefined) fault = 'has no';
  else if (typeof value === 'string') fault = 'has an empty';
  throw datasetError(`the row ${fault} "${key}"`, place, `Give it a "${key}", or remove the row.`);
}
