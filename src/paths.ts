import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The package's own folder (where package.json lies), from source, from a test or from the bundle in dist/. */
export function packageRoot(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`No package.json above ${__dirname}`);
    folder = parent;
  }
  return folder;
}
