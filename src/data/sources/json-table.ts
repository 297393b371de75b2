/**
 * JSON files that are one object: rows under a name (`{"data": [...]}`, `{"train": [...], "test": [...]}`), by their
 * ids, or columns by name, as pandas and `datasets` write them.
 */
import { splitOf } from '../../hub/dataset-files';
import { conversationOf } from '../conversations';
import type { Split } from '../files';
import { isUsualColumn } from '../names';
import type { Row } from '../rows';
import type { Bytes } from './bytes';
import { spansOf, valueIn } from './json';
import type { RowSource } from './source';

/** Maximum size; such a file is read as a whole. */
const maxBytes = 256 << 20;

export interface JsonTable {
  rows: readonly Row[];
  /** The split of these rows, if the file has parts named by split. */
  split?: string;
}

/** The rows of a file that is a single object with a table; null for other files. */
export function tableOf(bytes: Bytes, split: Split): JsonTable | null {
  const first = onlyValue(bytes);
  if (!first || first.end - first.start > maxBytes) return null;
  try {
    return tableIn(valueIn(bytes.read(first.start, first.end).toString('utf8')) as Row, split);
  } catch {
    return null; // the reader of rows reports the error
  }
}

export function heldRows(file: string, { rows, split }: JsonTable): RowSource {
  return {
    count: rows.length,
    ...(split !== undefined && { split }),
    *rows(from) {
      for (let i = from; i < rows.length; i++) yield { row: rows[i], place: { file, row: i + 1 }, index: i };
    },
  };
}

function onlyValue(bytes: Bytes): { start: number; end: number } | null {
  try {
    const values = spansOf(bytes);
    const first = values.next();
    return !first.done && values.next().done ? first.value : null;
  } catch {
    return null;
  }
}

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);
const areRows = (value: unknown): value is Row[] => Array.isArray(value) && value.length > 0 && value.every(isRow);

function tableIn(value: Row, split: Split): JsonTable | null {
  const fields = Object.entries(value);
  const parts = fields.filter(([name, rows]) => splitOf(name) !== undefined && (areRows(rows) || isRow(rows)));
  if (parts.length > 0) return partIn(parts, split);
  if (fields.some(([name, field]) => typeof field === 'string' && isUsualColumn(name))) return null; // a row by itself
  const split2d = ofPandas(value);
  if (split2d) return { rows: split2d };
  const lists = fields.filter(([, field]) => areRows(field) && !conversationOf(field));
  const wanted =
    lists.length === 1 ? lists : lists.filter(([name]) => /^(?:data|rows|examples|items|records)$/.test(name));
  if (wanted.length === 1) return { rows: (wanted[0][1] as Row[]).map(unwrapped) };
  const [[name, inner] = [], ...others] = fields.filter(([, field]) => typeof field === 'object' && field !== null);
  const wraps = others.length === 0 && isRow(inner) && (name === 'data' || !isUsualColumn(name!));
  if (wraps) return tableIn(inner, split);
  return byName(value);
}

/** The part of the wanted split, else of `train`, else the first one. */
function partIn(parts: [string, unknown][], split: Split): JsonTable | null {
  const [name, part] =
    parts.find(([one]) => splitOf(one) === split) ?? parts.find(([one]) => splitOf(one) === 'train') ?? parts[0];
  const rows = areRows(part) ? part.map(unwrapped) : tableIn(part as Row, split)?.rows;
  return rows ? { rows, split: splitOf(name) } : null;
}

/** Rows as in the Hub's viewer: `{"row_idx": 0, "row": {...}}`. */
const unwrapped = (row: Row): Row => ('row_idx' in row && isRow(row.row) ? row.row : row);

/** `{"columns": [...], "data": [[...], ...]}`, pandas' orient "split". */
function ofPandas({ columns, data }: Row): Row[] | null {
  if (!Array.isArray(columns) || !Array.isArray(data) || !data.every(Array.isArray)) return null;
  return data.map((cells) => Object.fromEntries(columns.map((name, i) => [String(name), cells[i]])));
}

/** Columns by name, each a list or an object by row number; or rows in groups, or by their ids. */
function byName(value: Row): JsonTable | null {
  const names = Object.keys(value);
  const fields = Object.values(value);
  if (names.length < 2 || !fields.every((field) => typeof field === 'object' && field !== null)) return null;
  const groups = fields.flatMap((field) => (areRows(field) ? [field] : []));
  if (groups.length === fields.length && groups.every(([row]) => Object.keys(row).some(isUsualColumn)))
    return { rows: groups.flat() };
  const keys = Object.keys(fields[0] as object);
  const alike = fields.every((field) => Object.keys(field as object).join('\n') === keys.join('\n'));
  if (!alike || keys.length === 0) return null;
  const numbered = (list: readonly string[]) => list.every((key) => /^\d+$/.test(key));
  if (numbered(keys) && !numbered(names))
    return { rows: keys.map((key) => Object.fromEntries(names.map((name) => [name, (value[name] as Row)[key]]))) };
  if (!fields.every(isRow) || !keys.some(isUsualColumn)) return null;
  return {
    rows: names.map((name) => (numbered(names) ? (value[name] as Row) : { id: name, ...(value[name] as Row) })),
  };
}
