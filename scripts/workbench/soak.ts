/**
 * npm run soak:ui [-- <updates>]: memory of the extension host in a real VS Code with 1,000 runs, while a tiny student
 * trains (2,000 updates by default) and while 100,000 lines of metrics arrive, each with the dashboard open. Fails if
 * the memory in use grows faster than the records that are shown.
 */
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/paths';
import { tinyFile } from '../../test/cli/distillery';
import { longStage } from '../../test/host/workplace';
import type { Memory, Soaked } from '../../test/workbench/soak';
import { createWorkspace } from '../../test/workbench/workspace';
import { launchBrowser } from './browser';
import { buildBundles, buildForHost } from './build';
import { manyRuns, runInHost } from './in-host';
import { installWorkbench } from './install';
import { startServer } from './server';

const updates = Number(process.argv[2] ?? 2000);
/** Bytes that may be kept for each update shown: some forty numbers, twice. */
const perUpdate = 700;
/** Growth that is not due to updates, in bytes. */
const room = 20e6;

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);

/** Prints the samples; whether the growth from the second to the last is within the limit. */
function report(what: string, samples: readonly Memory[]): boolean {
  console.log(`\n| ${what} | heap, MB | process, MB |\n| ---: | ---: | ---: |`);
  for (const one of samples) console.log(`| ${one.updates} | ${megabytes(one.heap)} | ${megabytes(one.resident)} |`);
  const [early, late] = [samples[1], samples.at(-1)!];
  return late.heap - early.heap < room + perUpdate * (late.updates - early.updates);
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
    const { runs, trained, appended }: Soaked = JSON.parse(readFileSync(out, 'utf8'));
    console.log(`The extension host, with ${runs} runs:`);
    const flat = [report('updates trained', trained), report('lines of metrics', appended)];
    if (flat.includes(false)) process.exitCode = 1;
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
