/**
 * Measures the user interface in a real VS Code: `npm run bench:ui [-- --rounds n]`. Activation: loading and
 * activating the bundle. Tree: listing 1,000 runs and making the Runs tree's items. Chain diff: script time of the page
 * for two chains of at least 2,000 tokens each, from the message to its last row drawn. Memory: of the extension host
 * when 568 cases are listed. Rollouts: finding the problems of a file of 1 GB (--gigabytes n).
 */
import fs from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { packageRoot } from '../../src/paths';
import type { FailureRecord } from '../../src/runs/records';
import type { HostTimes, Took } from '../../test/workbench/bench';
import { createWorkspace, runsOf } from '../../test/workbench/workspace';
import { launchBrowser } from './browser';
import { buildBundles, buildForHost } from './build';
import { manyRuns, runInHost } from './in-host';
import { installWorkbench } from './install';
import { openWorkbench, pick, runCommand, webview } from './page';
import { type Server, startServer } from './server';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, gigabytes: { type: 'string', default: '1' } },
});
const rounds = Number(values.rounds);

async function main(): Promise<void> {
  const workbench = await installWorkbench();
  buildBundles();
  const module = await buildForHost('bench.ts');
  const scratch = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'distillery-bench-')));
  const out = join(scratch, 'times.jsonl');
  const env = { DISTILLERY_BENCH_OUT: out, DISTILLERY_BENCH_ROLLOUTS: join(scratch, 'large') };
  const server = await startServer(workbench, { development: true, env });
  const browser = await launchBrowser(workbench);
  try {
    const folder = join(scratch, 'workspace');
    await createWorkspace(folder);
    const empty = join(scratch, 'empty');
    fs.mkdirSync(empty);
    const many = manyRuns(folder, join(scratch, 'many'), 1000);
    const large = largeRollouts(folder, join(scratch, 'large'), Number(values.gigabytes));
    const cases = manyCases(folder, join(scratch, 'cases'), 568);
    await runInHost(browser, server.url(cases, { path: packageRoot(), tests: module }));
    for (let i = 0; i < rounds; i++) {
      await runInHost(browser, server.url(empty, { path: packageRoot(), tests: module }));
      await runInHost(browser, server.url(many, { path: packageRoot(), tests: module }));
    }
    const times = fs
      .readFileSync(out, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as HostTimes);
    const [first] = times;
    printMemory(first, large);
    print([
      ['activation', times.flatMap(({ activation, runs }) => (runs === 0 && activation ? [activation] : [])), 100],
      ['tree of 1,000 runs', times.flatMap(({ runs, tree }) => (runs === 1000 ? [tree] : [])), 200],
      [`chain diff, ${longChains(folder)}`, await chainDiff(browser, server, folder), 100],
    ]);
  } finally {
    await browser.close();
    await server.close();
    fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

function print(rows: [what: string, took: Took[], budget: number][]): void {
  console.log(`${cpus().length} x ${cpus()[0].model}, load ${loadavg()[0].toFixed(1)}; milliseconds\n`);
  console.log('| what | median | least | median CPU time | budget |\n| --- | ---: | ---: | ---: | ---: |');
  for (const [what, took, budget] of rows) {
    const wall = took.map((one) => one.wall).sort((a, b) => a - b);
    const own = took.map((one) => one.own).sort((a, b) => a - b);
    const cells = [wall[wall.length >> 1], wall[0], own[own.length >> 1], budget];
    console.log(`| ${[what, ...cells.map((ms) => (Number.isNaN(ms) ? '' : ms.toFixed(0)))].join(' | ')} |`);
  }
}

/** Measurements of memory, with their targets. */
function printMemory({ memory, index }: HostTimes, large: number): void {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  const { before, after, cases } = memory;
  console.log(`extension host with ${cases} cases: ${megabytes(after)} (${megabytes(before)} before; aim 250 MB)`);
  if (!index) return;
  const took = `${(index.wall / 1000).toFixed(1)} s, memory grew by ${megabytes(index.grown)}`;
  console.log(`problems of ${megabytes(large)} of rollouts: ${took} (aim: bounded, 100 MB)`);
}

/** Creates a run whose only file of rollouts has this size; returns its size in bytes. */
function largeRollouts(from: string, folder: string, gigabytes: number): number {
  const [run] = runsOf(from);
  fs.cpSync(join(run, 'run.json'), join(folder, 'run.json'));
  const lines = fs.readFileSync(join(run, 'rollouts/complete/1.jsonl'), 'utf8').trim().split('\n');
  const file = join(folder, 'rollouts/complete/1.jsonl');
  fs.mkdirSync(join(folder, 'rollouts/complete'), { recursive: true });
  let number = 0;
  const chunk = () =>
    Array.from({ length: 2000 }, () => {
      const problem = `"problemId":"problem-${Math.floor(number / 8)}"`;
      return lines[number++ % lines.length].replace(/"problemId":"[^"]*"/, problem);
    }).join('\n');
  let size = 0;
  while (size < gigabytes * 1e9) {
    const text = `${chunk()}\n`;
    fs.appendFileSync(file, text);
    size += Buffer.byteLength(text);
  }
  return size;
}

/** A workspace with a run of this many failure cases, with chains of typical length. */
function manyCases(from: string, folder: string, count: number): string {
  const [run] = runsOf(from);
  const copy = join(folder, '.distillery/runs', basename(run));
  fs.mkdirSync(copy, { recursive: true });
  for (const name of fs.readdirSync(run).filter((one) => /\.jsonl?$/.test(one)))
    fs.cpSync(join(run, name), join(copy, name));
  const [first] = fs.readFileSync(join(run, 'failures.jsonl'), 'utf8').trim().split('\n');
  const record = JSON.parse(first) as FailureRecord;
  const text = `${steps(4).slice(0, 1200)}\nAnswer: 43`;
  const cases = Array.from({ length: count }, (_, i) => ({
    ...record,
    seq: i + 1,
    problemId: `case-${i}`,
    samples: record.samples.slice(0, 1).map((sample) => ({ ...sample, text })),
    teacherChain: text,
  }));
  fs.writeFileSync(join(copy, 'failures.jsonl'), cases.map((one) => `${JSON.stringify(one)}\n`).join(''));
  fs.cpSync(join(from, 'tiny.distillery.json'), join(folder, 'tiny.distillery.json'));
  return folder;
}

const steps = (first: number) =>
  Array.from({ length: 60 }, (_, i) => `Step ${i + 1}: ${first} + ${i} = ${first + i}, as ${i} is added to it.`).join(
    '\n',
  );

/**
 * Lengthens the chains of the workspace's first failure; returns their length in characters, each of which is a token
 * of the tiny tokenizer.
 */
function longChains(folder: string): string {
  const file = join(runsOf(folder)[0], 'failures.jsonl');
  const [first, ...others] = fs.readFileSync(file, 'utf8').trim().split('\n');
  const record = JSON.parse(first) as FailureRecord;
  const [teacher, student] = [`${steps(3)}\nAnswer: 44`, `${steps(4)}\nAnswer: 43`];
  const samples = record.samples.map((sample) => ({ ...sample, text: student, finished: true, answer: '43' }));
  fs.writeFileSync(file, [JSON.stringify({ ...record, samples, teacherChain: teacher }), ...others, ''].join('\n'));
  return `${teacher.length.toLocaleString('en')} and ${student.length.toLocaleString('en')} tokens`;
}

/** The page's own measurement, in a new window each time. */
async function chainDiff(browser: Browser, server: Server, folder: string): Promise<Took[]> {
  const problem = (
    JSON.parse(fs.readFileSync(join(runsOf(folder)[0], 'failures.jsonl'), 'utf8').split('\n')[0]) as FailureRecord
  ).problemId;
  const times: Took[] = [];
  for (let i = 0; i < rounds; i++) {
    const page = await browser.newPage();
    page.setDefaultTimeout(120_000);
    await openWorkbench(page, server.url(folder, { path: packageRoot() }));
    await runCommand(page, 'Distillery: Compare Chains');
    await pick(page, problem);
    const view = webview(page);
    await view.getByTestId('question').waitFor();
    const took = () => performance.getEntriesByName('case-shown', 'measure')[0].duration;
    times.push({ wall: await view.locator('body').evaluate(took), own: Number.NaN });
    await page.close();
  }
  return times;
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
