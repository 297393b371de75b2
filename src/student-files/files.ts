/** File helpers for model folders: reading with limits, JSON. */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { guardDisk, readError } from '../disk';
import { UserError } from '../errors';
import { jsonFault, lfsMark, mayOpen } from '../lines';
import { makeFolder, replaceFile as replace } from '../writing';

export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The remedy for a missing or damaged file of a student. */
const again = 'If it is missing or damaged, copy or download the student again.';

/** Refuses a file of weights; `what` continues "The file". */
export function refuseDamaged(format: string, file: string, what: string): never {
  throw new UserError(`The file${what.startsWith(':') ? '' : ' '}${what}`, {
    file,
    remedy: `The file is damaged or was not written as ${format}: copy or export it again.`,
    code: 'checkpoint',
  });
}

/** Opening a named pipe would wait for its writer; Windows has neither. */
const notWaiting = constants.O_NONBLOCK ?? 0;

/**
 * Opens `file` for reading and passes its descriptor and size in bytes to `attach`. It stays open until the result of
 * `attach` closes it; if `attach` throws, it is closed.
 */
export function openFile<T>(file: string, attach: (descriptor: number, size: number) => T): T {
  let descriptor: number | undefined;
  try {
    mayOpen(file);
    descriptor = openSync(file, constants.O_RDONLY | notWaiting);
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) {
      const kind = stat.isDirectory() ? 'folder' : 'pipe or device';
      throw new UserError(`This is a ${kind}, not a file`, { file, remedy: again, code: 'checkpoint' });
    }
    return attach(descriptor, stat.size);
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw readError(error, file, { code: 'checkpoint', remedy: `Check the path. ${again}` });
  }
}

/** Opens `file` for reading, passes its descriptor and size in bytes to `use`, and always closes it. */
function withFile<T>(file: string, use: (descriptor: number, size: number) => T): T {
  const { result, descriptor } = openFile(file, (descriptor, size) => ({ result: use(descriptor, size), descriptor }));
  closeSync(descriptor);
  return result;
}

/** An open file, and a function that makes an error about it. */
export interface OpenedFile {
  descriptor: number;
  file: string;
  refuse: (file: string, what: string) => never;
}

/** Fills `into` with the bytes from `position` on. One call reads at most 1 GiB, as operating systems limit it to 2. */
export function readFully({ descriptor, file, refuse }: OpenedFile, into: Uint8Array, position: number): void {
  for (let done = 0; done < into.length; ) {
    const read = readSync(descriptor, into, done, Math.min(into.length - done, 1 << 30), position + done);
    if (read === 0) refuse(file, 'became shorter while it was read');
    done += read;
  }
}

/** Writes all bytes; one call writes at most 1 GiB, as above. */
export function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(descriptor, bytes, done, Math.min(bytes.length - done, 1 << 30));
}

/** The text in `file`, at most `maxBytes` long. @throws UserError when it cannot be read */
export function readText(file: string, maxBytes = 16 << 20): string {
  return withFile(file, (descriptor, size) => {
    if (size > maxBytes)
      throw new UserError(`The file has ${size} bytes; the maximum is ${maxBytes}`, {
        file,
        remedy: again,
        code: 'checkpoint',
      });
    return readFileSync(descriptor, 'utf8').replace(/^\uFEFF/, ''); // the byte-order mark of some editors
  });
}

export const lfsPointer = (file: string) =>
  new UserError('This is a Git LFS pointer instead of the file itself', {
    file,
    remedy: 'Download it with `git lfs pull`.',
    code: 'checkpoint',
  });

/** The JSON object in `file`, at most `maxBytes` long. @throws UserError when it is not one */
export function readJsonObject(file: string, maxBytes?: number): JsonObject {
  const text = readText(file, maxBytes);
  if (text.startsWith(lfsMark)) throw lfsPointer(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const place = { file, ...jsonFault(text) };
    const message = `This is not JSON: ${(error as Error).message}`;
    throw new UserError(message, { ...place, remedy: again, code: 'checkpoint', cause: error });
  }
  if (!isJsonObject(value))
    throw new UserError('A JSON object was expected', { file, remedy: again, code: 'checkpoint' });
  return value;
}

/**
 * Replaces a file atomically, in a folder that this process created or the user named; creates it if it does not exist.
 */
export function replaceFile(file: string, write: (descriptor: number) => void): void {
  const folder = dirname(resolve(file));
  guardDisk(folder, 'nothing was written', () => makeFolder(folder, folder));
  replace(folder, file, write);
}

export function writeJson(file: string, value: unknown): void {
  replaceFile(file, (descriptor) => writeFileSync(descriptor, `${JSON.stringify(value, null, 2)}\n`));
}
