/**
 * Runs the mocha suite of test/workbench in a real extension host: VS Code in code-server, with its window in a
 * headless Chromium.
 *   npm run test:workbench -- [--grep words] [--verbose] [--built]
 * --verbose: also prints the logs of the window and the extensions; --built: dist/ is up to date.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { UserError } from '../../src/errors';
import { packageRoot } from '../../src/paths';
import { awkwardName, createWorkspace } from '../../test/workbench/workspace';
import { launchBrowser } from './browser';
import { buildBundles, buildSuite } from './build';
import { workbenchForTests } from './install';
import { startServer } from './server';

const limitMs = 10 * 60_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { grep: { type: 'string' }, verbose: { type: 'boolean' }, built: { type: 'boolean' } },
  });
  const workbench = await workbenchForTests();
  if (!workbench) return 0;
  if (!values.built) buildBundles();
  const tests = await buildSuite();
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'distillery-suite-')));
  const folder = join(scratch, awkwardName);
  await createWorkspace(folder);
  const socket = join(scratch, 'output');
  const printed = printFrom(socket);
  const env: Record<string, string> = {
    DISTILLERY_TEST_SOCKET: socket,
    DISTILLERY_TEST_COLOR: process.stdout.isTTY ? '1' : '0',
    DISTILLERY_THREADS: '1',
    ...(values.grep ? { DISTILLERY_TEST_GREP: values.grep } : {}),
  };
  const server = await startServer(workbench, { development: true, env });
  const browser = await launchBrowser(workbench);
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    return await exitOf(page, server.url(folder, { path: packageRoot(), tests }), values.verbose ?? false);
  } finally {
    await browser.close();
    await server.close();
    printed.close();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/**
 * Resolves with 0 if the tests passed. Under the smoke-test driver, the window calls these two functions of its page.
 */
async function exitOf(page: Page, url: string, verbose: boolean): Promise<number> {
  let log = '';
  const note = (_type: string, args: unknown[]) => {
    const line = `${format(...args)}\n`;
    log = (log + line).slice(-20_000);
    if (verbose) process.stderr.write(line);
  };
  const exit = new Promise<number>((resolve) => {
    page.exposeFunction('codeAutomationExit', (code: number) => resolve(code === 0 ? 0 : 1));
  });
  await page.exposeFunction('codeAutomationLog', note);
  await page.goto(url, { timeout: limitMs });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<number>((resolve) => {
    timer = setTimeout(() => {
      process.stderr.write(
        `The suite did not end within ${limitMs / 60_000} minutes. The window's log ends:\n${log}\n`,
      );
      resolve(1);
    }, limitMs);
  });
  const code = await Promise.race([exit, late]);
  clearTimeout(timer);
  return code;
}

/** Prints the suite's messages. */
function printFrom(socket: string) {
  const server = createServer((connection) => connection.pipe(process.stdout, { end: false }));
  return server.listen(socket);
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error instanceof UserError ? error.toString() : error);
    process.exit(1);
  },
);
