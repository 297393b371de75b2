/**
 * Opens a real VS Code with the extension on the built-in experiment or on a given folder: `npm run workbench
 * [folder]`. Uses the desktop's `code` if it is installed, else code-server, on 127.0.0.1 only, until Ctrl-C. `--port
 * n` and `--server` select code-server.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UserError } from '../../src/errors';
import { packageRoot } from '../../src/paths';
import { buildBundles, buildPackage } from './build';
import { installCodeServer } from './install';
import { startServer } from './server';

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { port: { type: 'string', default: '8080' }, server: { type: 'boolean' } },
  });
  const folder = resolve(positionals[0] ?? join(packageRoot(), 'examples/arithmetic'));
  if (!values.server && openDesktop(folder)) return;
  await openServer(folder, Number(values.port));
}

/**
 * `code` also exists in terminals of a remote VS Code, whose windows cannot load an extension under development.
 */
function openDesktop(folder: string): boolean {
  if (process.env.VSCODE_IPC_HOOK_CLI || spawnSync('code', ['--version'], { shell: isWindows }).status !== 0)
    return false;
  buildBundles();
  const args = ['--new-window', `--extensionDevelopmentPath=${packageRoot()}`, folder];
  spawn('code', args, { stdio: 'ignore', detached: true, shell: isWindows }).unref();
  console.log(`VS Code opens ${folder} with the extension from ${packageRoot()}.`);
  return true;
}

const isWindows = process.platform === 'win32';

async function openServer(folder: string, port: number): Promise<void> {
  const workbench = await installCodeServer();
  const scratch = mkdtempSync(join(tmpdir(), 'distillery-vsix-'));
  const vsix = buildPackage(join(scratch, 'distillery.vsix'));
  // For interactive use: a fresh profile's defaults, without the trust prompt for the given folder.
  const settings = { 'workbench.startupEditor': 'welcomePage' };
  const server = await startServer(workbench, { vsix, port, settings });
  rmSync(scratch, { recursive: true });
  console.log(
    `VS Code with the extension: ${server.url(folder)}\nCtrl-C ends it, and the runs that were started in it.`,
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, async () => {
      await server.close();
      process.exit(0);
    });
  }
}

main().catch((error) => {
  console.error(error instanceof UserError ? error.toString() : error);
  process.exit(1);
});
