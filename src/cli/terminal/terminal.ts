/**
 * The terminal. Only this file writes to it (`lint/terminal.grit`): control sequences in text from elsewhere are made
 * visible here instead of taking effect. Colours and redrawn lines also come from here.
 */
import { randomBytes } from 'node:crypto';
import { createInterface, type Interface } from 'node:readline/promises';
import { stripVTControlCharacters } from 'node:util';
import colours from 'picocolors';
import { visible } from '../../foreign-text';

/** Until a text is written, its colours are markers that no text from elsewhere can guess. */
const [open, close] = [`\u001b]${randomBytes(8).toString('hex')};`, '\u0007'];
const mark = new RegExp(`(${open.replace(']', '\\]')}\\d+${close})`);
const marked = (codes: string) => codes.replaceAll('\u001b[', open).replaceAll('m', close);
const sequence = (text: string) => text.replace(open, '\u001b[').replace(close, 'm');

type Colour = 'bold' | 'cyan' | 'dim' | 'green' | 'inverse' | 'magenta' | 'red' | 'underline' | 'yellow';

function colour(name: Colour): (text: string) => string {
  const [before, after] = colours[name]('|').split('|').map(marked);
  return (text) => `${before}${text}${after}`;
}

/** Colours, if the terminal supports them. */
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

/** The parts of a text in order: visible text and markers. */
const mapParts = (text: string, shown: (part: string) => string, marks = (part: string) => part) =>
  text
    .split(mark)
    .map((part, i) => (i % 2 === 0 ? shown(part) : marks(part)))
    .join('');

/** The number of visible characters. */
export const width = (text: string): number => stripVTControlCharacters(text).length;

/** The text on one line, as it will be shown. */
export const inOneLine = (text: string): string => mapParts(text, seen);
const seen = (part: string) => visible(part).replace(/[\n\t]+/g, ' ');

/** The beginning of a text, on one line of at most this many characters; colours are closed. */
export function clipLine(text: string, most: number): string {
  let columnsLeft = most;
  return mapParts(text, (part) => {
    const begin = seen(part).slice(0, columnsLeft);
    columnsLeft -= begin.length;
    return begin;
  });
}

/** An output: a terminal, or a file or program that reads it. */
export interface Screen {
  write(text: string): void;
  /** Erases the line of the cursor. */
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

/** Calls back when the reader of the output is gone. Returns a function that removes the listener. */
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

/** The lines of standard input, with a prompt when a person types them. */
export function readLines(prompt: string): Interface {
  const { stdin } = process;
  const output = stdin.isTTY ? process.stdout : undefined;
  const lines = createInterface({ input: stdin, output, terminal: stdin.isTTY });
  lines.setPrompt(mapParts(prompt, visible, sequence));
  return lines;
}
