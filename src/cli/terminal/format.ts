import type { FileIssue } from '../../config/issue';
import { UserError } from '../../errors';
import { inOneLine, pc, width } from './terminal';

export { bytes, clip, clock, percent, percentRange, plural } from '../../words';

/** 940, 12.3k, 4.1M */
export function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)}M`;
  return value >= 1e4 ? `${(value / 1e3).toFixed(1)}k` : value.toFixed(0);
}

/** Rows in aligned columns: the first `left` columns are left-aligned text, the others right-aligned numbers. */
export function columns(texts: readonly (readonly string[])[], left = 1): string[] {
  const rows = texts.map((row) => row.map(inOneLine));
  const widths = widthsOf(rows);
  const cell = (text: string, i: number) => {
    const space = ' '.repeat(widths[i] - width(text));
    return i < left ? text + space : space + text;
  };
  return rows.map((row) => row.map(cell).join('   ').trimEnd());
}

/** Columns below a bold header and a rule. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], left = 1): string {
  const [title, ...lines] = columns([head, ...rows], left);
  const rule = widthsOf([head, ...rows]).map((width) => '─'.repeat(width));
  return [pc.bold(title), pc.dim(rule.join('───')), ...lines].join('\n');
}

const widthsOf = (rows: readonly (readonly string[])[]) =>
  (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => width(row[i]))));

/** Warnings about a config with their places and remedies. */
export const warningsText = (warnings: readonly FileIssue[]): string =>
  warnings.map(({ message, ...place }) => `${pc.yellow('warning')} ${new UserError(message, place)}\n`).join('');
