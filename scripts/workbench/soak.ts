/**
 * npm run soak:ui [-- <updates>]: memory of the extension host in a real VS Code with 1,000 runs, while a tiny student
 * trains (2,000 updates by default) and while 100,000 lines of metrics arrive, each with the dashboard open. Fails if
 * the memory in use grows faster than the records that are shown. Then it measures how long a dashboard takes to open.
 */
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { packageRoot } from '../../src/paths';
import { metricsFile } from '../../src/runs/layout';
import { tinyFile } from '../../test/cli/distillery';
import { longStage } from '../../test/host/workplace';
import type { Memory, Soaked } from '../../test/workbench/soak';
import { createWorkspace } from '../../test/workbench/workspace';
import { launchBrowser } from './browser';
import { buildBundles, buildForHost } from './build';
import { manyRuns, runInHost } from './in-host';
import { installWorkbench } from './install';
import { openWorkbench, option, quickInput, runCommand, webview } from './page';
import { processesUsing, type Server, startServer } from './server';

const updates = Number(process.argv[2] ?? 2000);
/** Bytes that may be kept for each update shown: about forty numbers, twice. */
const perUpdate = 700;
/** Growth that is not due to updates, in bytes. */
const room = 20e6;

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);

/** Prints the samples; whether the growth from the second to the last is within the limit. */
function report(what: string, samples: readonly Memory[]): boolean {
  console.log(`\n| ${what} | heap, MB | process, MB | training host, MB |\n| ---: | ---: | ---: | ---: |`);
  for (const { updates, heap, resident, training } of samples)
    console.log(
      `| ${updates} | ${megabytes(heap)} | ${megabytes(resident)} | ${training ? megabytes(training) : ''} |`,
    );
  const [early, late] = [samples[1], samples.at(-1)!];
  return late.heap - early.heap < room + perUpdate * (late.updates - early.updates);
}

/** From the choice of a run in the list until all of its updates are drawn, in milliseconds. */
interface Opening {
  wall: number;
  /** CPU time of the extension host. */
  host: number;
  /** CPU time of the browser's pages: the workbench and the dashboard. */
  pages: number;
}

/** Opens the dashboard of a run as a person does, in a new window. */
async function opening(browser: Browser, server: Server, run: string): Promise<Opening> {
  const lines = readFileSync(metricsFile(run), 'utf8').trim().split('\n').length;
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  await openWorkbench(page, server.url(resolve(run, '../../..'), { path: packageRoot() }));
  await runCommand(page, 'Distillery: Open Dashboard');
  await quickInput(page).fill(basename(run));
  await option(page, basename(run)).first().waitFor();
  await page.waitForTimeout(3000); // the window is idle
  const [begun, before, drawing] = [Date.now(), extensionHostTime(server.home), await pagesTime(browser)];
  await page.keyboard.press('Enter');
  const drawn = await webview(page).locator('#page').evaluate(whenDrawn, lines);
  await page.waitForTimeout(500);
  const took = {
    wall: drawn - begun,
    host: extensionHostTime(server.home) - before,
    pages: (await pagesTime(browser)) - drawing,
  };
  await page.close();
  return took;
}

/** In the page: resolves to the time when so many updates were first drawn. */
function whenDrawn(_: unknown, updates: number): Promise<number> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const [mark] = performance.getEntriesByName('drawn') as unknown as { detail: number; startTime: number }[];
      if (!(mark?.detail >= updates)) return;
      clearInterval(timer);
      resolve(performance.timeOrigin + mark.startTime);
    }, 10);
  });
}

/** CPU time of a server's extension hosts so far, in milliseconds; Linux counts it in steps of 10 ms. */
function extensionHostTime(home: string): number {
  const ticks = processesUsing(home, 'extensionHost').flatMap((pid) =>
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).map(Number),
  );
  return 10 * ticks.reduce((sum, one) => sum + one, 0);
}

/** CPU time of the browser's pages so far, in milliseconds. */
async function pagesTime(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return 1000 * processInfo.reduce((sum, { type, cpuTime }) => (type === 'renderer' ? sum + cpuTime : sum), 0);
}

async function main(): Promise<void> {
  const workbench = await installWorkbench();
  buildBundles();
  const module = await buildForHost('soak.ts');
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'distillery-soak-')));
  const out = join(scratch, 'memory.json');
  const env = { DISTILLERY_SOAK_OUT: out, DISTILLERY_SOAK_UPDATES: String(updates), DISTILLERY_THREADS: '1' };
  const server = await startServer(workbench, { development: true, env });
  const browser = await launchBrowser(workbench);
  try {
    const folder = join(scratch, 'workspace');
    await createWorkspace(folder);
    const many = manyRuns(folder, join(scratch, 'many'), 1000);
    cpSync(join(folder, 'student'), join(many, 'student'), { recursive: true });
    const experiment = tinyFile({ name: 'soak', ...longStage(updates) });
    writeFileSync(join(many, 'soak.distillery.json'), JSON.stringify(experiment, null, 2));
    await runInHost(browser, server.url(many, { path: packageRoot(), tests: module }));
    const { runs, trained, appended, long, short }: Soaked = JSON.parse(readFileSync(out, 'utf8'));
    console.log(`The extension host, with ${runs} runs:`);
    const flat = [report('updates trained', trained), report('lines of metrics', appended)];
    if (flat.includes(false)) process.exitCode = 1;
    console.log('\n| opening the dashboard of | ms | CPU time: extension host, ms | pages, ms |');
    console.log('| --- | ---: | ---: | ---: |');
    for (const [what, run] of Object.entries({ 'one of 1,000 runs': short, '100,000 lines': long }))
      for (let i = 0; i < 3; i++) {
        const { wall, host, pages } = await opening(browser, server, run);
        console.log(`| ${what} | ${wall.toFixed(0)} | ${host} | ${pages.toFixed(0)} |`);
      }
  } finally {
    await browser.close();
    await server.close();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
