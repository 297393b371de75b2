import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import type { StageName, StageRow } from '../runs/records';

/** Stages as the interface names them. */
export const stageTitles: Record<StageName, string> = {
  base: 'Base student',
  sft: 'Plain SFT',
  reconstruct: 'Stage 1 reconstruct',
  complete: 'Stage 2 complete',
  rewrite: 'Stage 3 rewrite',
};

export const percent = (share: number, digits = 1) => `${(100 * share).toFixed(digits)} %`;

/** Seconds as 0:07, 12:30 or 1:02:03. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/** 940, 12.3k, 4.1M */
export function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)}M`;
  return value >= 1e4 ? `${(value / 1e3).toFixed(1)}k` : value.toFixed(0);
}

const visible = (text: string) => stripVTControlCharacters(text).length;

/** Rows in aligned columns; the first `left` columns are text, the others are numbers, set to the right. */
export function columns(rows: readonly (readonly string[])[], left = 1): string[] {
  const widths = widthsOf(rows);
  const cell = (text: string, i: number) => {
    const space = ' '.repeat(widths[i] - visible(text));
    return i < left ? text + space : space + text;
  };
  return rows.map((row) => row.map(cell).join('   ').trimEnd());
}

/** Columns under a bold head and a rule. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], left = 1): string {
  const [title, ...lines] = columns([head, ...rows], left);
  const rule = widthsOf([head, ...rows]).map((width) => '─'.repeat(width));
  return [pc.bold(title), pc.dim(rule.join('───')), ...lines].join('\n');
}

const widthsOf = (rows: readonly (readonly string[])[]) =>
  (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => visible(row[i]))));

/** The table at the end of a run: each student on the test problems, with the change from the base in accuracy and tokens. */
export function summaryTable(rows: readonly Omit<StageRow, 'seq'>[]): string {
  const base = rows.find((row) => row.stage === 'base');
  const head = ['', 'accuracy', '95 % interval', 'mean tokens', 'vs base', 'tokens vs base', 'training', 'n'];
  const body = rows.map((row) => {
    const points = base && row !== base ? 100 * (row.accuracy - base.accuracy) : null;
    const tokens = base && row !== base ? row.meanTokens / base.meanTokens - 1 : null;
    const signed = (value: number, digits: number) => `${value >= 0 ? '+' : '−'}${Math.abs(value).toFixed(digits)}`;
    const [low, high] = row.accuracyInterval;
    return [
      stageTitles[row.stage],
      percent(row.accuracy),
      `${(100 * low).toFixed(1)} – ${percent(high)}`,
      row.meanTokens.toFixed(1),
      points === null ? '' : (points >= 0 ? pc.green : pc.red)(`${signed(points, 1)} pt`),
      tokens === null ? '' : (tokens <= 0 ? pc.green : pc.red)(`${signed(100 * tokens, 1)} %`),
      row.wallSeconds > 0 ? clock(row.wallSeconds) : '',
      String(row.n),
    ];
  });
  return table(head, body);
}

/** 1.2 MB, 4.0 GB */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(value, 1)) / 3));
  return `${(value / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** `1 problem`, `7 problems` */
export const plural = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** The text in at most `width` characters. */
export const clip = (text: string, width: number) => (text.length > width ? `${text.slice(0, width - 1)}…` : text);
