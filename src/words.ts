/** Formatting of numbers and texts for people, shared by terminal, editor, pages and reports. */

/** `71.3 %`; `–` for NaN. */
export const percent = (share: number, digits = 1) =>
  Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : '–';

/** An interval of shares, each 0 to 1: "41.2 – 48.0 %". */
export const percentRange = ([low, high]: readonly [number, number]) => `${(100 * low).toFixed(1)} – ${percent(high)}`;

/** With real minus signs, as screen readers say them. */
export const minus = (text: string) => text.replaceAll('-', '−');

/** `+1.7`, `−0.4`; what rounds to 0 has no minus. */
export function signed(value: number, digits = 1): string {
  const rounded = Number(value.toFixed(digits));
  return `${rounded < 0 ? '−' : '+'}${Math.abs(rounded).toFixed(digits)}`;
}

/** Seconds as 0:07, 12:30 or 1:02:03. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/** Time left in words, the same everywhere: in steps that do not change every second. */
export function timeLeftText(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (seconds < 60) return 'under 1 min left';
  if (minutes < 60) return `${minutes} min left`;
  const [hours, rest] = [Math.floor(minutes / 60), 5 * Math.floor((minutes % 60) / 5)];
  return rest === 0 ? `${hours} h left` : `${hours} h ${rest} min left`;
}

/** Seconds in words: `40 s`, `12 min`, `3 h 20 min`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 1.2 MB, 4.0 GB */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(value, 1)) / 3));
  return `${(value / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** Bytes in GB, for memory and disks, so that need and supply are easy to compare. */
export const gigabytes = (value: number) => `${(value / 1e9).toFixed(1)} GB`;

/** `1 problem`, `7 problems` */
export const plural = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** The text cut to `width` characters. */
export const clip = (text: string, width: number) => (text.length > width ? `${text.slice(0, width - 1)}…` : text);

/** The error and its remedy on one line. */
export function sentences({ message, remedy }: { message: string; remedy?: string }): string {
  return [message, remedy].flatMap((text) => (text ? [sentence(text)] : [])).join(' ');
}

/** With a capital letter and a full stop, unless the text ends in another mark. */
export function sentence(text: string): string {
  const capitalised = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capitalised) ? capitalised : `${capitalised}.`;
}
