import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll } from 'vitest';
import { packageRoot } from '../../src/paths';

/**
 * Bundles a TypeScript program of this folder, so that it starts fast and runs in a plain node process that can be
 * killed.
 */
export async function bundleProgram(name: string, folder: string): Promise<string> {
  const outfile = join(folder, `${name}.cjs`);
  await build({
    entryPoints: [join(packageRoot(), 'test/faults', `${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
    logLevel: 'error',
  });
  return outfile;
}

/** Bundles a program for the tests of a file, in a temporary folder that they may use, too. */
export function programOfTests(name: string): { folder: string; program: string } {
  const made = { folder: '', program: '' };
  beforeAll(async () => {
    made.folder = mkdtempSync(join(tmpdir(), `distillery-${name}-`));
    made.program = await bundleProgram(name, made.folder);
  });
  afterAll(() => rmSync(made.folder, { recursive: true }));
  return made;
}
