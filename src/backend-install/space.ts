import { statfsSync } from 'node:fs';
import { UserError } from '../errors';
import { gigabytes } from '../words';

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
