import { join } from 'node:path';
import { build } from 'esbuild';
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
