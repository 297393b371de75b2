import { statfsSync } from 'node:fs';
import { UserError } from '../errors';
import { gigabytes } from '../words';

/**
 * Checks that the disk of `folder` has room for so many bytes; the environment's `variable` names another folder.
 * @throws UserError where it has not
 */
export function checkSpace(folder: string, bytes: number, variable: string): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new UserError(`it needs ${gigabytes(bytes)}, and the disk has ${gigabytes(free)}`, {
    file: folder,
    code: 'disk',
    remedy: `Free some space, or name a folder on another disk by ${variable}.`,
  });
}
