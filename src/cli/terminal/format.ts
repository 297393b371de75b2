import type { FileIssue } from '../../config/issue';
import { UserError } from '../../errors';
import { inOneLine, pc, stdout, width } from './terminal';

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

/** The first of these tables that is as narrow as the terminal, else the last. */
export function fitting(tables: readonly string[], room = stdout.isTTY ? stdout.columns : undefined): string {
  const fits = (text: string) => room === undefined || width(text.slice(0, text.indexOf('\n'))) <= room;
  return tables.find(fits) ?? tables[tables.length - 1];
}

/** The table with all of its columns, then without those of the highest rank, and so on; without a rank they stay. */
export function narrowed(
  { head, ranks, left }: { head: readonly string[]; ranks: readonly (number | undefined)[]; left?: number },
  rows: readonly (readonly string[])[],
): string[] {
  const highest = Math.max(...ranks.map((rank) => rank ?? 0));
  return Array.from({ length: highest + 1 }, (_, i) => {
    const shown = (cells: readonly string[]) => cells.filter((_, column) => (ranks[column] ?? 0) <= highest - i);
    return table(shown(head), rows.map(shown), left);
  });
}

/** A text in Markdown, on one line: no HTML, no link, and no end of a table's cell. */
export const inMarkdown = (text: string): string => inOneLine(text).replace(/[\\|<]|\](?=[([:])/g, '\\$&');

/** The table in Markdown. The columns after the first `left` are right-aligned. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left = head.length,
): string {
  const row = (cells: readonly string[]) => `| ${cells.map(inMarkdown).join(' | ')} |`;
  const alignments = head.map((_, i) => (i < left ? '---' : '---:'));
  return [row(head), row(alignments), ...rows.map(row)].join('\n');
}

const widthsOf = (rows: readonly (readonly string[])[]) =>
  (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => width(row[i]))));

/** Warnings about a config with their places and remedies. */
export const warningsText = (warnings: readonly FileIssue[]): string =>
  warnings.map(({ message, ...place }) => `${pc.yellow('warning')} ${new UserError(message, place)}\n`).join('');
