/** Numbers, times and names as the views write them. */
import type { ShownState } from '../runs/reading';

export const stateTitles: Record<ShownState, string> = {
  created: 'starting',
  running: 'running',
  paused: 'paused',
  stopped: 'stopped',
  finished: 'finished',
  failed: 'failed',
  interrupted: 'interrupted',
};

export const percent = (share: number, digits = 1) =>
  Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : '–';

/** An accuracy; of how many problems, where they are so few that it says little. */
export const accuracyText = ({ accuracy, n }: { accuracy: number; n: number }) =>
  n < fewProblems ? `${percent(accuracy)} of ${n}` : percent(accuracy);

/** Below this many test problems an accuracy is known to no better than about ten points. */
export const fewProblems = 100;

export const tokens = (count: number) => (Number.isFinite(count) ? `${count.toFixed(0)} tokens` : '– tokens');

/** Where there is little room. */
export const shortTokens = (count: number) => (Number.isFinite(count) ? `${count.toFixed(0)} tok` : '– tok');

/** `1 case`, `7 cases` */
export const plural = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** `+1.7`, `−0.4` (a real minus sign, as screen readers say it). */
export const signed = (value: number, digits = 1) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;

/** Seconds as a person says them: `40 s`, `12 min`, `3 h 20 min`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Feb 5 14:03`, local time; the year in front where it is another than now. */
export function shortTime(time: string, now: number): string {
  const date = new Date(time);
  const pad = (value: number) => String(value).padStart(2, '0');
  const year = date.getFullYear();
  const day = `${months[date.getMonth()]} ${date.getDate()} ${pad(date.getHours())}:${pad(date.getMinutes())}`;
  return year === new Date(now).getFullYear() ? day : `${year} ${day}`;
}

/** How long ago, in the largest unit that says enough. */
export function ago(time: string, now: number): string {
  const minutes = Math.round((now - Date.parse(time)) / 60_000);
  if (!(minutes >= 1)) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.round(minutes / 60)} h ago`;
  return `${plural(Math.round(minutes / (24 * 60)), 'day')} ago`;
}

/** At most `width` characters on one line. */
export function clip(text: string, width: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}
