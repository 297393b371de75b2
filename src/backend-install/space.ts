import { statfsSync } from 'node:fs';
import { UserError } from '../errors';

/**
 * Before so many bytes are written to `folder`; `variable` names another one. @throws UserError where the disk has
 * fewer
 */
export function checkSpace(folder: string, bytes: number, variable: string): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new UserError(`it needs ${(bytes / 1e9).toFixed(1)} GB, and the disk has ${(free / 1e9).toFixed(1)} GB`, {
    file: folder,
    code: 'disk',
    remedy: `Free some space, or name a folder on another disk by ${variable}.`,
  });
}
