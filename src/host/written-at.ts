import { statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * When a student was last written, in milliseconds: the latest of these files, or the .gguf file itself; -1 when none
 * is there.
 */
export function writtenAt(path: string, names: readonly string[]): number {
  const files = /\.gguf$/i.test(path) ? [path] : names.map((name) => join(path, name));
  return Math.max(...files.map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -1));
}
