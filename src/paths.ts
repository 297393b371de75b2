import { existsSync, lstatSync, readFileSync, type Stats, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';

/** The package's own folder (with package.json), from source, from a test or from the bundle in dist/. */
export function packageRoot(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`No package.json above ${__dirname}`);
    folder = parent;
  }
  return folder;
}

/** The version in package.json. */
export const packageVersion = (): string =>
  (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;

/** Our folder in the system's place for data of the user's programs. */
export function dataFolder(name: string): string {
  const home = homedir();
  const env = process.env;
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'distillery', name);
  if (process.platform === 'win32') return join(env.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'distillery', name);
  return join(env.XDG_DATA_HOME || join(home, '.local', 'share'), 'distillery', name);
}

/** What the file system knows of a path; undefined if it cannot be read, because there is nothing or no permission. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Whether a folder exists. */
export const isFolder = (path: string): boolean => statOf(path)?.isDirectory() ?? false;

/** What is at a path, in words, as in "this is a named pipe"; undefined if nothing is. */
export function whatIs(path: string): string | undefined {
  const stat = statOf(path) ?? linkAt(path);
  if (!stat) return undefined;
  if (stat.isSymbolicLink()) return 'a symbolic link to nothing';
  if (stat.isFile()) return 'a file';
  if (stat.isDirectory()) return 'a folder';
  return stat.isFIFO() ? 'a named pipe' : 'a device';
}

function linkAt(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

/** Whether an absolute path is a folder or below it, judged by the names. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Whether an absolute path is below a folder, judged by the names. */
export const isBelow = (folder: string, path: string): boolean =>
  relative(folder, path) !== '' && isWithin(folder, path);

/** Size of a file in bytes; 0 if there is none. */
export const sizeOf = (path: string): number => statOf(path)?.size ?? 0;
