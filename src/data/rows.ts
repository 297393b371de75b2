/** Shared by all dataset readers: row ranges, and error messages with the row. */
import { UserError } from '../errors';

/** The rows to read: skips `start`, then takes at most `count`. */
export interface RowRange {
  start?: number;
  count?: number;
}

export type Row = Record<string, unknown>;

/** The location of a row, for messages. */
export interface RowPlace {
  file: string;
  line?: number;
  /** From 1, for files without lines. */
  row?: number;
}

/** A UserError about a dataset. */
export function datasetError(message: string, { file, line }: RowPlace, remedy: string): UserError {
  return new UserError(message, { file, line, remedy, code: 'dataset' });
}

export function asRow(value: unknown, place: RowPlace): Row {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw datasetError(
      'the row is not a JSON object',
      place,
      'A row is an object such as {"question": ..., "answer": ...}.',
    );
  return value as Row;
}

/** A required text of a row; a number or boolean is converted, a list with one item unwrapped. */
export function requiredText(row: Row, key: string, place: RowPlace): string {
  const cell = row[key];
  const only = Array.isArray(cell) && cell.length === 1 ? cell[0] : cell;
  const value = typeof only === 'number' || typeof only === 'boolean' ? String(only) : only;
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  let fault = 'has a value other than a text as';
  if (value === undefined) fault = 'has no';
  else if (typeof value === 'string') fault = 'has an empty';
  throw datasetError(`the row ${fault} "${key}"`, place, `Give it a "${key}", or remove the row.`);
}
