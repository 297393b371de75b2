import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { packageRoot } from '../src/paths';

/**
 * The folder of the named programs, such as `cli` from src/cli/main.ts: dist/ if DISTILLERY_BUILT=1 says that it is up
 * to date, as `npm test` does, else a folder of its own, which `remove` deletes. They are bundled as `npm run build`
 * does, but without splitting.
 */
export async function builtPrograms(sources: Record<string, string>): Promise<{ folder: string; remove(): void }> {
  const root = packageRoot();
  if (process.env.DISTILLERY_BUILT === '1') return { folder: join(root, 'dist'), remove() {} };
  const names = Object.keys(sources);
  const folder = join(root, 'node_modules', '.cache', `${names[0]}-${process.pid}`);
  await build({
    entryPoints: Object.fromEntries(names.map((name) => [name, join(root, sources[name])])),
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    mainFields: ['module', 'main'],
    logLevel: 'error',
  });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
