/**
 * Runs the suite of test/workbench in the desktop's VS Code, which is downloaded once: `npm run test:desktop`.
 * VSCODE_VERSION names another version than the newest one (such as 1.100.0, the oldest that is supported).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runTests } from '@vscode/test-electron';
import { buildBundles, buildSuite } from '../../scripts/workbench/build';
import { packageRoot } from '../../src/paths';
import { createWorkspace } from '../workbench/workspace';

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { grep: { type: 'string' } } });
  buildBundles();
  const tests = await buildSuite();
  const scratch = mkdtempSync(join(tmpdir(), 'distillery-desktop-'));
  const folder = join(scratch, 'workspace');
  try {
    await createWorkspace(folder);
    return await runTests({
      version: process.env.VSCODE_VERSION,
      extensionDevelopmentPath: packageRoot(),
      extensionTestsPath: tests,
      extensionTestsEnv: { DISTILLERY_THREADS: '1', ...(values.grep ? { DISTILLERY_TEST_GREP: values.grep } : {}) },
      launchArgs: [
        folder,
        ...['--user-data-dir', join(scratch, 'data'), '--disable-extensions', '--disable-workspace-trust'],
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      ],
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
