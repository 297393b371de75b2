/** Builds the bundles, and the mocha suite of test/workbench for an extension host. */
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { UserError } from '../../src/errors';
import { packageRoot } from '../../src/paths';

/** dist/, as `npm run build` makes it but without the native kernels. */
export function buildBundles(): void {
  const { status } = spawnSync(process.execPath, ['esbuild.mjs'], { cwd: packageRoot(), stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

/** Makes the extension's package. */
export function buildPackage(file: string): string {
  const args = ['scripts/package.mjs', '--out', file];
  const { status } = spawnSync(process.execPath, args, { cwd: packageRoot(), stdio: 'inherit' });
  if (status !== 0) throw new UserError('The extension cannot be packaged: the reason is printed above.');
  return file;
}

/** Bundles every suite/*.test.ts; returns the module whose `run` runs them (VS Code's extensionTestsPath). */
export async function buildSuite(): Promise<string> {
  const tests = readdirSync(join(source, 'suite')).filter((name) => name.endsWith('.test.ts'));
  return buildForHost('index.ts', ...tests.map((name) => join('suite', name)));
}

const source = join(packageRoot(), 'test/workbench');

/** Bundles files of test/workbench for the extension host; returns the first. */
export async function buildForHost(...files: string[]): Promise<string> {
  // Inside node_modules, so that mocha is found; emptied first, so that no old bundle runs.
  const folder = join(packageRoot(), 'node_modules/.cache/distillery-workbench', files[0].replace(/\.ts$/, ''));
  rmSync(folder, { recursive: true, force: true });
  await build({
    entryPoints: files.map((name) => join(source, name)),
    outdir: folder,
    outbase: source,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    mainFields: ['module', 'main'],
    external: ['vscode', 'mocha'],
    sourcemap: 'inline',
    logLevel: 'error',
  });
  return join(folder, files[0].replace(/\.ts$/, '.js'));
}
