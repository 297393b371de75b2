/** Disk errors with what is kept and what to do. */
import { statfsSync } from 'node:fs';
import { type ErrorCode, UserError } from './errors';
import { gigabytes } from './words';

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

interface DiskFault {
  codes: readonly string[];
  message: string;
  remedy: string;
}

const full: DiskFault = {
  codes: ['ENOSPC', 'EDQUOT'],
  message: 'no space left on the disk',
  remedy: 'Free some space and try again; resume a run with `distillery resume`.',
};

const faults: readonly DiskFault[] = [
  full,
  {
    codes: ['EFBIG'],
    message: 'the disk does not support such a large file',
    remedy: 'Raise the limit on the size of files (`ulimit -f`), or choose a disk with another file system.',
  },
  {
    codes: ['EROFS', 'EACCES', 'EPERM'],
    message: 'the disk or folder does not allow writing',
    remedy: 'Make the folder writable, or choose another place.',
  },
  {
    // A failing disk, or a share that is gone.
    codes: ['EIO', 'ESTALE', 'ENOTCONN', 'ENODEV', 'ENXIO', 'EHOSTDOWN', 'ETIMEDOUT'],
    message: 'the disk does not answer',
    remedy: 'Connect it again, or check its health; resume a run with `distillery resume`.',
  },
  {
    codes: ['ENOENT', 'ENOTDIR', 'EISDIR', 'ERR_FS_EISDIR', 'EEXIST'],
    message: 'nothing can be written there',
    remedy: 'Check the path: a folder may be missing, or something else may have its name.',
  },
];

/** By the code of an error on a path, whatever was done there. */
export const pathFaults: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'this is a folder, not a file',
  ENAMETOOLONG: 'the path is too long',
  ELOOP: 'its symbolic links lead back to themselves',
  EACCES: 'no permission',
  EPERM: 'no permission',
};

/** A UserError for a failed system call that reads `file`; other errors unchanged. */
export function readError(error: unknown, file: string, details: { code: ErrorCode; remedy: string }): unknown {
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (error instanceof UserError || code === undefined) return error;
  return new UserError(pathFaults[code] ?? `cannot be read: ${message}`, { ...details, file, cause: error });
}

/**
 * A UserError for an error of the file system that no caller expected, such as a path that is too long; other errors
 * unchanged. For the places where errors are shown: code that knows what it reads or writes says more.
 */
export function pathError(error: unknown): unknown {
  const { code = '', path, message } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (code === 'ERR_INVALID_ARG_VALUE' && message?.includes('without null bytes'))
    return new UserError(`a path contains a NUL character: ${message.replace(/^.*Received /s, '')}`, {
      remedy: 'Check the paths that were given.',
      cause: error,
    });
  if (typeof path !== 'string') return error;
  if (!(code in pathFaults)) return diskError(error, path, 'nothing was changed there');
  return new UserError(`${pathFaults[code]} (${code})`, {
    file: path,
    code: 'missing',
    remedy: 'Check the path.',
    cause: error,
  });
}

/** A UserError for disk errors; other errors unchanged. */
export function diskError(error: unknown, file: string, kept: string): unknown {
  if (error instanceof UserError) return error;
  const code = (error as NodeJS.ErrnoException)?.code ?? '';
  const fault = faults.find(({ codes }) => codes.includes(code));
  if (!fault) return error;
  const Kind = fault === full ? DiskFull : UserError;
  const details = { file, code: 'disk', remedy: fault.remedy, cause: error } as const;
  return new Kind(`${fault.message} (${code}): ${kept}`, details);
}

/**
 * Checks the free disk space of `folder`; the environment's `variable` can name another folder.
 * @throws UserError when there is not enough
 */
export function checkSpace(folder: string, bytes: number, variable: string): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new UserError(`it needs ${gigabytes(bytes)}, but the disk has only ${gigabytes(free)} free`, {
    file: folder,
    code: 'disk',
    remedy: `Free some space, or set ${variable} to a folder on another disk.`,
  });
}
