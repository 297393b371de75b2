/** Reads untrusted JSON: line by line, with limits, and without keys that reach into prototypes. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, realpathSync, type Stats, statSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { visit } from 'jsonc-parser';
import { guardDisk, pathFaults, readError } from './disk';
import { type ErrorCode, UserError } from './errors';

/** Longest accepted line; a rollout of 100,000 tokens fits. */
export const maxLineBytes = 32 * 1024 * 1024;
/** Maximum nesting of a JSON value. */
const maxDepth = 64;
const chunkBytes = 256 * 1024;

export interface TextLine {
  /** From 1. */
  number: number;
  /** Without its end (`\n` or `\r\n`), and without a byte-order mark. */
  text: string;
  /** Byte offsets of the line's beginning, of its end, and of the next line. */
  start: number;
  end: number;
  next: number;
  /** False for a last line without a line end: complete in a handwritten file, incomplete in a log. */
  ended: boolean;
}

/** Called for an unreadable line, which is then skipped. */
export type Damage = (problem: UserError) => void;

/**
 * The lines of a UTF-8 file, or of its first `most` bytes, one after the other; blank ones too. Errors: file missing or
 * not readable, and, unless they are reported to `damage`, a line over `maxLineBytes` and bytes that are not UTF-8.
 */
export function* readLines(file: string, damage?: Damage, most?: number): Generator<TextLine> {
  yield* linesOf(chunksOf(file, most), file, { damage });
}

/**
 * The same for bytes in chunks; no chunk is kept when the next one is requested. `file` is for messages. The first
 * `skip` lines that are not blank are skipped, with the blank ones before them.
 */
export function* linesOf(
  chunks: Iterable<Buffer>,
  file: string,
  { damage = refuse, skip = 0 }: { damage?: Damage; skip?: number } = {},
): Generator<TextLine> {
  let left = skip;
  let held: Buffer[] = [];
  let bytes = 0;
  let start = 0;
  let number = 1;
  /** No more than this of an oversized line is kept. */
  const hold = (part: Buffer) => {
    bytes += part.length;
    if (bytes <= maxLineBytes) held.push(part);
    else if (held.length > 0) {
      held = [];
      damage(tooLong(file, number));
    }
  };
  const place = (ended: boolean) => ({ number, start, next: start + bytes + 1, ended });
  const read = (whole: boolean) => {
    if (bytes > maxLineBytes) return undefined;
    if (left > 0 && startsPlainly(held)) {
      left--;
      return undefined;
    }
    return line(file, held.length === 1 ? held[0] : Buffer.concat(held), place(whole));
  };
  function* ended(whole: boolean): Generator<TextLine> {
    const found = read(whole);
    if (found instanceof UserError) damage(found);
    else if (found && left === 0) yield found;
    else if (found && found.text.trim() !== '') left--;
    start += bytes + 1;
    number++;
    held = [];
    bytes = 0;
  }
  for (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      hold(chunk.subarray(from, end));
      yield* ended(true);
      from = end + 1;
    }
    if (from < chunk.length) hold(Buffer.from(chunk.subarray(from)));
  }
  if (bytes > 0) yield* ended(false);
}

/** Whether a line begins with a visible ASCII character; any other line is decoded to see whether it is blank. */
const startsPlainly = ([first]: readonly Buffer[]) => first !== undefined && first[0] > 32 && first[0] < 127;

function refuse(problem: UserError): never {
  throw problem;
}

/** The first `most` bytes of a file; each chunk is overwritten by the next. Errors: missing, not readable. */
export function* chunksOf(file: string, most = Number.POSITIVE_INFINITY): Generator<Buffer> {
  const handle = openForReading(file);
  try {
    const chunk = Buffer.alloc(chunkBytes);
    for (let left = most; left > 0; ) {
      const size = guardDisk(file, 'nothing was changed', () =>
        readSync(handle, chunk, 0, Math.min(left, chunk.length), null),
      );
      if (size === 0) return;
      yield chunk.subarray(0, size);
      left -= size;
    }
  } finally {
    closeSync(handle);
  }
}

function tooLong(file: string, line: number): UserError {
  const remedy = 'Write one JSON value per line.';
  return new UserError(`the line is longer than ${maxLineBytes} bytes`, { file, line, code: 'dataset', remedy });
}

/**
 * Refuses a named pipe or a device, also behind a link: opening a pipe waits for a writer, who may never come, and
 * /dev/zero has no end. Files that Linux generates as they are read (/proc/kmsg) are like devices. A path in /dev is
 * the user's own choice: those pipes belong to the shell and have a writer.
 */
function refuseSpecial(file: string, stat: Pick<Stats, 'isFile' | 'isDirectory' | 'isFIFO' | 'size'>): void {
  if (file.startsWith('/dev/') || stat.isDirectory()) return;
  const isMadeUp = () => stat.size === 0 && /^\/(?:proc|sys)\//.test(realpathSync(file));
  if (stat.isFile() && !isMadeUp()) return;
  const kind = stat.isFIFO() ? 'named pipe' : 'device';
  throw new UserError(`this is a ${kind}, not a file`, { file, code: 'missing', remedy: 'Check the path.' });
}

let checkOpening: (file: string) => void = () => {};

/** From now on, `check` may refuse a file, by an error, before it is opened: the editor's Restricted Mode does so. */
export function guardOpening(check: (file: string) => void): void {
  checkOpening = check;
}

/** @throws what the guard of `guardOpening` refuses */
export const mayOpen = (file: string): void => checkOpening(file);

/** Opens a file to read; missing, a folder, a named pipe, a device or no permission is a UserError that says so. */
export function openForReading(file: string): number {
  try {
    mayOpen(file);
    refuseSpecial(file, statSync(file));
    const handle = openSync(file, 'r');
    try {
      readSync(handle, Buffer.alloc(1), 0, 1, 0); // a folder opens, but does not read
    } catch (error) {
      closeSync(handle);
      throw error;
    }
    return handle;
  } catch (error) {
    throw readError(error, file, { code: 'missing', remedy: 'Check the path.' });
  }
}

/** The same without blocking, for the editor: waiting at a pipe would occupy one of Node's few threads forever. */
export async function openForReadingAsync(file: string): Promise<FileHandle> {
  mayOpen(file);
  const found = await stat(file);
  refuseSpecial(file, found);
  if (found.isDirectory()) throw new UserError(pathFaults.EISDIR, { file, code: 'missing', remedy: 'Check the path.' });
  return open(file, 'r');
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function line(file: string, bytes: Buffer, place: Omit<TextLine, 'text' | 'end'>): TextLine | UserError {
  const length = bytes.at(-1) === 13 && place.ended ? bytes.length - 1 : bytes.length;
  try {
    return Object.assign({ text: utf8.decode(bytes.subarray(0, length)), end: place.start + length }, place);
  } catch (cause) {
    const line = place.number;
    return new UserError('the line is not UTF-8', { file, line, code: 'dataset', remedy: 'Save it as UTF-8.', cause });
  }
}

/**
 * JSON.parse with a place in the message, and limits: nesting, and no `__proto__`, `constructor` or `prototype` keys
 * (they would reach into prototypes when the value is merged or indexed).
 */
export function parseJson(text: string, place: { file?: string; line?: number; code?: ErrorCode }): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const { line, column } = jsonFault(text);
    throw new UserError(`broken JSON: ${(cause as Error).message}`, {
      code: 'json',
      ...place,
      line: (place.line ?? 1) + line - 1,
      column,
      remedy: 'Fix or remove it.',
      cause,
    });
  }
  const fault = faultIn(value, 0);
  if (fault) throw new UserError(fault, { code: 'json', ...place, remedy: 'Remove it.' });
  return value;
}

/** The text of a small file of ours, at most `limit` bytes. Errors: as of openForReading; a file that is larger. */
export function readSmallText(file: string, limit = 16 << 20): string {
  const bytes = Buffer.concat(Array.from(chunksOf(file, limit + 1), (chunk) => Buffer.from(chunk)));
  if (bytes.length > limit)
    throw new UserError(`the file has more than ${limit} bytes, the maximum`, { file, code: 'json' });
  return bytes.toString();
}

/** sha256 of a file's bytes, in hex. */
export function hashFile(file: string): string {
  const handle = openForReading(file);
  try {
    const hash = createHash('sha256');
    const block = Buffer.alloc(1024 * 1024);
    for (let size = readSync(handle, block); size > 0; size = readSync(handle, block))
      hash.update(block.subarray(0, size));
    return hash.digest('hex');
  } finally {
    closeSync(handle);
  }
}

/** How a Git LFS pointer begins: a clone without `git lfs` has them in place of large files. */
export const lfsMark = 'version https://git-lfs';

/** Line and column, from 1, of the first error in a text that is not JSON: JSON.parse does not always give them. */
export function jsonFault(text: string): { line: number; column: number } {
  const offset = faultOffset(text);
  let [line, start] = [1, 0];
  for (let end = text.indexOf('\n'); end >= 0 && end < offset; end = text.indexOf('\n', start)) {
    line++;
    start = end + 1;
  }
  return { line, column: offset - start + 1 };
}

/** Stops at the first error: the list of all would take fifty times the memory of the text. */
function faultOffset(text: string): number {
  let first: number | undefined;
  const stop = (offset: number) => {
    first = offset;
    throw new Error('found');
  };
  try {
    visit(text, { onError: (_, offset) => stop(offset) }, { disallowComments: true });
  } catch {
    return first ?? 0; // nested too deep for a recursive parser
  }
  return text.length;
}

function faultIn(value: unknown, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === maxDepth) return `nested deeper than ${maxDepth} levels`;
  if (Array.isArray(value)) {
    for (const item of value) {
      const fault = faultIn(item, depth + 1);
      if (fault) return fault;
    }
    return undefined;
  }
  for (const key of Object.keys(value)) {
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') return `the key "${key}" is not allowed`;
    const fault = faultIn((value as Record<string, unknown>)[key], depth + 1);
    if (fault) return fault;
  }
  return undefined;
}

/** The bytes at a position of an open file; fewer at its end. */
export async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, position);
  return bytes.subarray(0, bytesRead);
}
