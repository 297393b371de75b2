/** Reads the cells of a dataset. */
import { type ChatRole, contentText, conversationOf } from './conversations';
import type { Row } from './rows';

/** A cell by its column; `a.b` is field b of column a. */
export function cellOf(row: Row, column: string): unknown {
  if (Object.hasOwn(row, column)) return row[column];
  let value: unknown = row;
  for (const key of column.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Row)[key];
  }
  return value;
}

/**
 * The text of a cell. Numbers and booleans are converted, a list with one item (also as text) is unwrapped, and of a
 * conversation it is the first message of `turn`.
 */
export function cellText(value: unknown, turn: ChatRole): string | undefined {
  if (typeof value === 'string') {
    const conversation = conversationOf(value);
    return conversation ? conversation[turn] : (onlyItem.exec(value)?.[2] ?? value).trim() || undefined;
  }
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  const conversation = conversationOf(value);
  if (conversation) return conversation[turn];
  if (Array.isArray(value)) return value.length === 1 ? cellText(value[0], turn) : contentText(value);
  return undefined;
}

/** `["31"]` or `['31']` as text. */
const onlyItem = /^\s*\[\s*(["'])([^"'\\]*)\1\s*\]\s*$/;
