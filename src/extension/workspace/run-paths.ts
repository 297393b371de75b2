import { dirname, join, normalize, sep } from 'node:path';
import { isWithin } from '../../paths';

const below = `${sep}.distillery${sep}runs`;

/** The runs folder around a file, and the run if the file belongs to one. */
export function runOfFile(file: string): { runs: string; run?: string } | undefined {
  const at = `${file}${sep}`.indexOf(`${below}${sep}`);
  if (at < 0) return undefined;
  const runs = file.slice(0, at + below.length);
  const [name] = file.slice(runs.length + 1).split(sep);
  return name ? { runs, run: join(runs, name) } : { runs };
}

/**
 * The `.distillery` folder around a path, else the one beside an experiment's file, else that of the workspace folder
 * around it, else that of the first workspace folder. Without open folders, that of `home`.
 */
export function distilleryOf(path: string, roots: readonly string[], home: string): string {
  const part = `${sep}.distillery${sep}`;
  const at = `${path}${sep}`.indexOf(part);
  if (at >= 0) return path.slice(0, at + part.length - 1);
  if (path.endsWith('.json')) return join(dirname(path), '.distillery');
  return join(roots.find((root) => isWithin(root, path)) ?? roots[0] ?? home, '.distillery');
}

/** The paths of the workspace folders; empty where no folder is open. */
export const pathsOf = (folders: readonly { uri: { fsPath: string } }[] | undefined): string[] =>
  folders?.map(({ uri }) => uri.fsPath) ?? [];

/** Whether a path was in a removed workspace folder and is in none of the present ones. */
export function hasLeft(path: string, removed: readonly string[], roots: readonly string[]): boolean {
  const isInside = (root: string) => isWithin(root, path);
  return removed.some(isInside) && !roots.some(isInside);
}

/** Whether two absolute paths name one file by the rules of the operating system. */
export function sameFile(a: string, b: string): boolean {
  const fold = (path: string) => (process.platform === 'linux' ? path : path.toLowerCase());
  return fold(normalize(a)) === fold(normalize(b));
}
