import { isAbsolute, relative, sep } from 'node:path';

/** Whether a file lies in a folder, by their paths. */
export function isWithin(folder: string, file: string): boolean {
  const path = relative(folder, file);
  return path !== '' && path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}
