import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { packageRoot } from '../src/paths';

/** Bundles programs for tests as `npm run build` does, but without splitting. */
export const bundle = (options: Pick<BuildOptions, 'entryPoints' | 'outfile' | 'outdir'>) =>
  build({
    ...options,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    mainFields: ['module', 'main'],
    logLevel: 'error',
  });

/**
 * The folder of the named programs, such as `cli` from src/cli/main.ts: dist/ if DISTILLERY_BUILT=1 says that it is up
 * to date, as `npm test` does, else a folder of its own, which `remove` deletes.
 */
export async function builtPrograms(sources: Record<string, string>): Promise<{ folder: string; remove(): void }> {
  const root = packageRoot();
  if (process.env.DISTILLERY_BUILT === '1') return { folder: join(root, 'dist'), remove() {} };
  const names = Object.keys(sources);
  const folder = join(root, 'node_modules', '.cache', `${names[0]}-${process.pid}`);
  const entryPoints = Object.fromEntries(names.map((name) => [name, join(root, sources[name])]));
  await bundle({ entryPoints, outdir: folder });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
