/** Disk errors with what is kept and what to do. */
import { UserError } from './errors';

/** Runs code that writes; a full or read-only disk becomes a UserError that says what is `kept`. */
export function guardDisk<T>(file: string, kept: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw diskError(error, file, kept);
  }
}

/** The disk or a quota is full: the write can be repeated when there is space. */
export class DiskFull extends UserError {}

const full = ['ENOSPC', 'EDQUOT'];
const refused = ['EROFS', 'EACCES', 'EPERM'];
/** Error codes of a failing disk, and of a share that is gone. */
const gone = ['EIO', 'ESTALE', 'ENOTCONN', 'ENODEV', 'ENXIO', 'EHOSTDOWN', 'ETIMEDOUT'];
const misplaced = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ERR_FS_EISDIR', 'EEXIST'];

/** A UserError for disk errors; other errors unchanged. */
export function diskError(error: unknown, file: string, kept: string): unknown {
  const code = (error as NodeJS.ErrnoException)?.code ?? '';
  if (error instanceof UserError) return error;
  if (full.includes(code))
    return new DiskFull(`no space left on the disk (${code}): ${kept}`, {
      file,
      code: 'disk',
      remedy: 'Free some space and try again; resume a run with `distillery resume`.',
      cause: error,
    });
  if (code === 'EFBIG')
    return new UserError(`the disk does not support such a large file (${code}): ${kept}`, {
      file,
      code: 'disk',
      remedy: 'Raise the limit on the size of files (`ulimit -f`), or choose a disk with another file system.',
      cause: error,
    });
  if (refused.includes(code))
    return new UserError(`the disk or folder does not allow writing (${code}): ${kept}`, {
      file,
      code: 'disk',
      remedy: 'Make the folder writable, or choose another place.',
      cause: error,
    });
  if (gone.includes(code))
    return new UserError(`the disk does not answer (${code}): ${kept}`, {
      file,
      code: 'disk',
      remedy: 'Connect it again, or check its health; resume a run with `distillery resume`.',
      cause: error,
    });
  if (misplaced.includes(code))
    return new UserError(`nothing can be written there (${code}): ${kept}`, {
      file,
      code: 'disk',
      remedy: 'Check the path: a folder may be missing, or something else may have its name.',
      cause: error,
    });
  return error;
}
