/** A real VS Code with the packaged extension installed, and a window on a fresh workspace. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser, watchRequests } from '../../../scripts/workbench/browser';
import { installWorkbench } from '../../../scripts/workbench/install';
import { openWorkbench, runCommand, workbenchReady } from '../../../scripts/workbench/page';
import { type Server, type ServerOptions, startServer } from '../../../scripts/workbench/server';
import { packageRoot } from '../../../src/paths';
import { awkwardName, createWorkspace } from '../workspace';

export interface Session {
  server: Server;
  /** The workspace's folder. */
  folder: string;
  /** The window that was opened last. */
  page: Page;
  /** Requests that went to another host than the server. */
  outside: string[];
  /** Whether a test of it has failed, at its last try. */
  failed: boolean;
  /** Reloads the window, as "Reload Window" does. */
  reload(): Promise<void>;
  /** Another window on the same folder. */
  openWindow(): Promise<Page>;
  close(): Promise<void>;
}

interface SessionOptions extends ServerOptions {
  withRun?: boolean;
  /** Called with the folder before a window opens, so that the Explorer shows the files that it writes. */
  prepare?: (folder: string) => void;
}

export async function openSession(options: SessionOptions = {}): Promise<Session> {
  const workbench = await installWorkbench();
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'distillery-e2e-')));
  const folder = join(scratch, awkwardName);
  await createWorkspace(folder, options);
  options.prepare?.(folder);
  const vsix = process.env.DISTILLERY_VSIX;
  assert.ok(vsix, 'DISTILLERY_VSIX names the packaged extension');
  const server = await startServer(workbench, {
    vsix,
    ...options,
    env: { DISTILLERY_THREADS: '1', ...options.env },
  });
  let browser: Browser | undefined;
  const close = async () => {
    await browser?.close();
    await server.close();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    browser = await launchBrowser(workbench);
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    context.setDefaultTimeout(60_000);
    const outside = watchRequests(context, server.authority);
    const openWindow = async () => {
      const page = await context.newPage();
      await openWorkbench(page, server.url(folder));
      return page;
    };
    const page = await openWindow();
    const reload = async () => {
      const loaded = page.waitForEvent('load');
      await runCommand(page, 'Developer: Reload Window');
      await loaded;
      await workbenchReady(page);
    };
    return { server, folder, page, outside, failed: false, reload, openWindow, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens a session for all tests of a suite: keeps pictures of failed tests, and closes it at the end. */
export function sharedSession(open: () => Promise<Session>): void {
  let session: Session | undefined;
  suiteSetup(async () => {
    session = await open();
  });
  teardown(function () {
    return keepPictures(session, this.currentTest);
  });
  suiteTeardown(() => session?.close());
}

/** Skips the remaining tests of a suite after a failed one: each begins where the one before left the window. */
export function skipAfterFailure(session: () => Session): void {
  setup(function () {
    if (session().failed) this.skip();
  });
}

/** Records that a test has failed, and keeps what it showed: pictures of the session's windows, in test-results/. */
export async function keepPictures(session: Session | undefined, test: Mocha.Test | undefined): Promise<void> {
  if (!session || test?.state !== 'failed') return;
  session.failed = true;
  const folder = join(packageRoot(), 'test-results');
  mkdirSync(folder, { recursive: true });
  const name = test.fullTitle().replace(/\W+/g, '-').toLowerCase();
  for (const [index, page] of session.page.context().pages().entries()) {
    const path = join(folder, `${name}-${index}.png`);
    await page.screenshot({ path });
    console.log(`      ${path}`);
  }
}
