/**
 * The terminal. Only this file writes to it (`lint/terminal.grit`), so that no text from elsewhere can: what such a
 * text would do to a terminal is shown instead. Colours and the redrawing of lines come from here.
 */
import { randomBytes } from 'node:crypto';
import { createInterface, type Interface } from 'node:readline/promises';
import { stripVTControlCharacters } from 'node:util';
import colours from 'picocolors';
import { visible } from '../foreign-text';

/** Colours within a text are marks, of a kind that no text from elsewhere can guess, until it is written. */
const [open, close] = [`\u001b]${randomBytes(8).toString('hex')};`, '\u0007'];
const mark = new RegExp(`(${open.replace(']', '\\]')}\\d+${close})`);
const marked = (codes: string) => codes.replaceAll('\u001b[', open).replaceAll('m', close);
const sequence = (text: string) => text.replace(open, '\u001b[').replace(close, 'm');

type Colour = 'bold' | 'cyan' | 'dim' | 'green' | 'inverse' | 'magenta' | 'red' | 'underline' | 'yellow';

function colour(name: Colour): (text: string) => string {
  const [before, after] = colours[name]('|').split('|').map(marked);
  return (text) => `${before}${text}${after}`;
}

/** Colours, where the terminal has them. */
export const pc: Record<Colour, (text: string) => string> = {
  bold: colour('bold'),
  cyan: colour('cyan'),
  dim: colour('dim'),
  green: colour('green'),
  inverse: colour('inverse'),
  magenta: colour('magenta'),
  red: colour('red'),
  underline: colour('underline'),
  yellow: colour('yellow'),
};

/** Parts of a text in turn: what is shown, and marks. */
const mapParts = (text: string, shown: (part: string) => string, marks = (part: string) => part) =>
  text
    .split(mark)
    .map((part, i) => (i % 2 === 0 ? shown(part) : marks(part)))
    .join('');

/** Characters that a text takes on a line. */
export const width = (text: string): number => stripVTControlCharacters(text).length;

/** The text in one line, as it will be shown. */
export const inOneLine = (text: string): string => mapParts(text, seen);
const seen = (part: string) => visible(part).replace(/[\n\t]+/g, ' ');

/** The beginning of a text, in one line of no more characters than these; its colours end. */
export function clipLine(text: string, most: number): string {
  let room = most;
  return mapParts(text, (part) => {
    const begin = seen(part).slice(0, room);
    room -= begin.length;
    return begin;
  });
}

/** Where text is written: a terminal, or a file or program that reads it. */
export interface Screen {
  write(text: string): void;
  /** Takes back the line that the cursor is on. */
  clearLine(): void;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const screenOn = (stream: () => NodeJS.WriteStream): Screen => ({
  write: (text) => void stream().write(mapParts(text, visible, sequence)),
  clearLine: () => void stream().write('\r\u001b[2K'),
  get isTTY() {
    return stream().isTTY;
  },
  get columns() {
    return stream().columns;
  },
});

export const stdout = screenOn(() => process.stdout);
export const stderr = screenOn(() => process.stderr);

/** Calls back when the reader of the output is gone. Returns what ends that. */
export function onBrokenOutput(listener: (error: NodeJS.ErrnoException) => void): () => void {
  process.stdout.on('error', listener);
  return () => process.stdout.off('error', listener);
}

/** Asks on the terminal. */
export async function askLine(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(mapParts(question, visible, sequence));
  } finally {
    lines.close();
  }
}

/** The lines of standard input; with a prompt where somebody types them. */
export function readLines(prompt: string): Interface {
  const { stdin } = process;
  const output = stdin.isTTY ? process.stdout : undefined;
  const lines = createInterface({ input: stdin, output, terminal: stdin.isTTY });
  lines.setPrompt(mapParts(prompt, visible, sequence));
  return lines;
}
