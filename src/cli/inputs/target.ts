import { accessSync, closeSync, constants, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UserError } from '../../errors';
import { openForReading } from '../../lines';
import { statOf } from '../../paths';

/**
 * The path of an output file, made absolute. @throws UserError before any work is done if it cannot be written, or if
 * there is a file whose beginning `isOurs` does not recognize
 */
export function checkTarget(file: string, isOurs: (head: string) => boolean): string {
  const path = resolve(file);
  const refuse = (message: string, code: 'missing' | 'exists' | 'disk', remedy: string, cause?: unknown) =>
    new UserError(message, { file: path, code, remedy, cause });
  const folder = statOf(dirname(path));
  if (!folder?.isDirectory())
    throw refuse('its folder does not exist', 'missing', 'Create the folder, or choose another path.');
  const there = statOf(path);
  if (there?.isDirectory()) throw refuse('this is a folder', 'exists', 'Name a file.');
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (cause) {
    throw refuse('its folder does not allow writing', 'disk', 'Make it writable, or choose another path.', cause);
  }
  if (there && there.size > 0 && !isOurs(headOf(path)))
    throw refuse(
      'the file already exists and was not written by this command',
      'exists',
      'Choose another name, or remove it.',
    );
  return path;
}

function headOf(path: string): string {
  const handle = openForReading(path);
  try {
    const head = Buffer.alloc(256);
    return head.subarray(0, readSync(handle, head, 0, head.length, 0)).toString('utf8');
  } finally {
    closeSync(handle);
  }
}
