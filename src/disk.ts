/** Writing so that a crash, a full disk or a power cut never leaves half of something behind. */
import fs from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from './errors';

/** Replaces a file as a whole: written beside it, flushed, renamed over it, and the folder flushed. */
export function writeAtomically(file: string, text: string): void {
  const draft = `${file}.draft`; // one name for all: the run's lock lets one process write, and a killed one's draft is overwritten
  guardDisk(file, fs.existsSync(file) ? 'its earlier content is kept' : 'nothing was written', () => {
    try {
      fs.writeFileSync(draft, text, { flush: true });
      fs.renameSync(draft, file);
    } catch (error) {
      fs.rmSync(draft, { force: true });
      throw error;
    }
    flushFolder(dirname(file));
  });
}

/** Makes a file's content durable. */
export function flushFile(file: string): void {
  const handle = fs.openSync(file, 'r+');
  try {
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}

/** Makes the names in a folder durable. Windows cannot open folders, and keeps names in its journal. */
export function flushFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}

/** Runs something that writes; a full or read-only disk becomes a UserError that says what is `kept`. */
export function guardDisk<T>(file: string, kept: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw diskError(error, file, kept);
  }
}

const full = ['ENOSPC', 'EDQUOT', 'EFBIG'];
const refused = ['EROFS', 'EACCES', 'EPERM'];
const misplaced = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST'];

/** A UserError for faults of the disk; any other error as it is. */
export function diskError(error: unknown, file: string, kept: string): unknown {
  const code = (error as NodeJS.ErrnoException)?.code ?? '';
  if (error instanceof UserError) return error;
  if (full.includes(code))
    return new UserError(`no space left on the disk (${code}): ${kept}`, {
      file,
      code: 'disk',
      remedy: 'Free some space and try again; a run goes on with `distillery resume`.',
      cause: error,
    });
  if (refused.includes(code))
    return new UserError(`the disk or folder does not allow writing (${code}): ${kept}`, {
      file,
      code: 'disk',
      remedy: 'Make the folder writable, or choose another place.',
      cause: error,
    });
  if (misplaced.includes(code))
    return new UserError(`nothing can be written there (${code}): ${kept}`, {
      file,
      code: 'disk',
      remedy: 'Check the path: a folder may be missing, or something else have the name.',
      cause: error,
    });
  return error;
}
