/**
 * JSON files that are one object: rows under a name (`{"data": [...]}`), or columns by name, as pandas and `datasets`
 * write them.
 */
import { conversationOf } from '../cells';
import type { Row } from '../rows';
import type { Bytes } from './bytes';
import { spansOf } from './json';
import type { RowSource } from './source';

/** Such a file is read whole. */
const maxBytes = 256 << 20;

/** The rows of a file that is one object and holds a table; null of any other file. */
export function tableOf(bytes: Bytes): Row[] | null {
  const first = onlyValue(bytes);
  if (!first || first.end - first.start > maxBytes) return null;
  try {
    return tableIn(JSON.parse(bytes.read(first.start, first.end).toString('utf8')) as Row);
  } catch {
    return null; // whoever reads the rows says what is wrong
  }
}

export function heldRows(file: string, table: readonly Row[]): RowSource {
  return {
    count: table.length,
    *rows(from) {
      for (let i = from; i < table.length; i++) yield { row: table[i], place: { file, row: i + 1 }, index: i };
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

function tableIn(value: Row): Row[] | null {
  const fields = Object.values(value);
  const lists = fields.filter((field) => Array.isArray(field) && field.length > 0 && field.every(isRow));
  // A row by itself may hold a conversation.
  if (
    lists.length === 1 &&
    !conversationOf(lists[0]) &&
    !fields.some((field) => typeof field === 'string' && /\s/.test(field))
  )
    return lists[0] as Row[];
  const names = Object.keys(value);
  if (names.length < 2 || !fields.every((field) => typeof field === 'object' && field !== null)) return null;
  const keys = Object.keys(fields[0] as object);
  const alike = fields.every((field) => Object.keys(field as object).join('\n') === keys.join('\n'));
  if (!alike || keys.length === 0 || !keys.every((key) => /^\d+$/.test(key))) return null;
  return keys.map((key) => Object.fromEntries(names.map((name) => [name, (value[name] as Row)[key]])));
}
