/** Formatting of numbers, times and names in the views. */
import type { ShownState } from '../../runs/reading';
import { clip, percent, plural } from '../../words';

export { duration, percent, plural, signed } from '../../words';

export const stateTitles: Record<ShownState, string> = {
  created: 'starting',
  running: 'running',
  paused: 'paused',
  stopped: 'stopped',
  finished: 'finished',
  failed: 'failed',
  interrupted: 'interrupted',
};

/** An accuracy, with the number of problems if that is small. */
export const accuracyText = ({ accuracy, n }: { accuracy: number; n: number }) =>
  n < fewProblems ? `${percent(accuracy)} of ${n}` : percent(accuracy);

/** With fewer test problems, an accuracy has a margin of about ten points. */
export const fewProblems = 100;

export const tokens = (count: number) => (Number.isFinite(count) ? `${count.toFixed(0)} tokens` : '– tokens');

/** A test result: `71.3 %, 95 tokens`. */
export const resultText = ({ accuracy, meanTokens }: { accuracy: number; meanTokens: number }) =>
  `${percent(accuracy)}, ${tokens(meanTokens)}`;

/** The short form, where space is limited. */
export const shortTokens = (count: number) => (Number.isFinite(count) ? `${count.toFixed(0)} tok` : '– tok');

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Feb 5 14:03`, local time; with the year if it is not this year. */
export function shortTime(time: string, now: number): string {
  const date = new Date(time);
  const pad = (value: number) => String(value).padStart(2, '0');
  const year = date.getFullYear();
  const day = `${months[date.getMonth()]} ${date.getDate()} ${pad(date.getHours())}:${pad(date.getMinutes())}`;
  return year === new Date(now).getFullYear() ? day : `${year} ${day}`;
}

/** The time since then in the largest suitable unit. */
export function ago(time: string, now: number): string {
  const minutes = Math.round((now - Date.parse(time)) / 60_000);
  if (!(minutes >= 1)) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.round(minutes / 60)} h ago`;
  return `${plural(Math.round(minutes / (24 * 60)), 'day')} ago`;
}

/** At most `width` characters on one line. */
export const clipLine = (text: string, width: number) => clip(text.replace(/\s+/g, ' ').trim(), width);
