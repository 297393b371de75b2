import { join } from 'node:path';
import { statOf } from '../paths';

/**
 * When a student was last written, in milliseconds: the latest change of these files, or of the .gguf file itself; -1
 * if none exists.
 */
export function lastChange(path: string, names: readonly string[]): number {
  const files = /\.gguf$/i.test(path) ? [path] : names.map((name) => join(path, name));
  return Math.max(...files.map((file) => statOf(file)?.mtimeMs ?? -1));
}
