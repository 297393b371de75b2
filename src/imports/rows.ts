/** The rows of a trainer's log file: Parquet, CSV, JSON lines as written by Python, tables of Weights & Biases. */

import { asRow, datasetError, type Row, type RowPlace } from '../data/rows';
import { bytesOf, headOf } from '../data/sources/bytes';
import { rowsOf } from '../data/sources/kind';
import { UserError } from '../errors';
import { linesOf, parseJson } from '../lines';

/** Python's json writes NaN and Infinity literally; they become the strings of our records. */
export function parsePython(text: string, place: RowPlace): unknown {
  const plain = /\b(?:NaN|Infinity)\b/.test(text)
    ? text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (found) => (found[0] === '"' ? found : `"${found}"`))
    : text;
  return parseJson(plain, { ...place, code: 'dataset' });
}

export interface LoggedRow {
  row: Row;
  place: RowPlace;
  /** Bytes of the file up to the row's end, for rows that are lines. */
  bytes?: number;
}

/**
 * Reads rows one by one in bounded memory. A last line without a line end that is not complete JSON is still being
 * written:
 * it is reported to `torn` and skipped. Errors name file and row: no file with rows, damaged, a row that is not an
 * object.
 */
export function* loggedRows(file: string, torn: (place: RowPlace) => void): Generator<LoggedRow> {
  if (/\.table\.json$/.test(file)) return yield* tableRows(file);
  const head = headOf(file);
  const text = head.toString('utf8').trimStart();
  const isLines = text.startsWith('{') && !/\.json$/i.test(file);
  if (isLines || head.readUInt16BE(0) === 0x1f8b || head.readUInt32LE(0) === 0xfd2fb528) {
    const bytes = bytesOf(file);
    for (const { text, number, ended, end } of linesOf(bytes.chunks(), file)) {
      if (text.trim() === '') continue;
      const place = { file, line: number };
      let value: unknown;
      try {
        value = parsePython(text, place);
      } catch (error) {
        if (ended || !(error instanceof UserError)) throw error;
        return torn(place);
      }
      yield { row: asRow(value, place), place, bytes: end };
    }
    return;
  }
  for (const found of rowsOf(file).rows(0)) {
    if ('fault' in found && found.fault) throw found.fault;
    const { row, place } = found as { row: unknown; place: RowPlace };
    yield { row: asRow(row, place), place };
  }
}

/** A table in wandb's format: `{"columns": [...], "data": [[...], ...]}`, read as a whole. */
function* tableRows(file: string): Generator<LoggedRow> {
  const text = Buffer.concat([...bytesOf(file).chunks()].map((chunk) => Buffer.from(chunk))).toString('utf8');
  const { columns, data } = asRow(parsePython(text, { file }), { file });
  if (!Array.isArray(columns) || !Array.isArray(data))
    throw datasetError('this is not a table of Weights & Biases', { file }, 'It has "columns" and "data".');
  for (const [i, cells] of data.entries())
    yield {
      row: Object.fromEntries(columns.map((name, c) => [String(name), (cells as unknown[])[c]])),
      place: { file, row: i + 1 },
    };
}
