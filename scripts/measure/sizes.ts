/**
 * Measures large datasets: `npm run build && npx tsx scripts/measure/sizes.ts [folder]` writes 100,000 rows of JSON
 * lines (300 MB) and 60 rows of 50,000 tokens each, and prints processor time, wall-clock time and memory of `new` and
 * `preview` on them, and of opening and testing the first one in the editor. Without a folder, the files go to a
 * temporary one.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSuite, suiteOfFile } from '../../src/extension/tests/suites';
import { packageRoot } from '../../src/paths';
import { Random } from '../../src/random';

const [task, file] = process.argv.slice(2);
if (task === '--editor') {
  const { problems } = loadSuite(suiteOfFile(file), () => undefined);
  if (problems.length !== 100_000) throw new Error(`${problems.length} rows`);
} else {
  const folder = task ?? mkdtempSync(join(tmpdir(), 'distillery-sizes-'));
  mkdirSync(folder, { recursive: true });
  try {
    measure(folder);
  } finally {
    if (task === undefined) rmSync(folder, { recursive: true });
  }
}

function measure(folder: string): void {
  const many = written(join(folder, 'many.jsonl'), 100_000, 2900);
  const long = written(join(folder, 'long.jsonl'), 60, 160_000);
  const cli = join(packageRoot(), 'dist', 'cli.js');
  for (const [name, data] of [
    ['many', many],
    ['long', long],
  ]) {
    const experiment = join(folder, name);
    rmSync(experiment, { recursive: true, force: true });
    report(`new, ${name}`, [cli, 'new', experiment, '--data', data], folder);
    report(`preview, ${name}`, [cli, 'preview', experiment], folder);
  }
  // Not tsx's own command, which works in a child process.
  const editor = ['--import', 'tsx', __filename, '--editor', many];
  report('opened in the editor', editor, folder);
}

/** Writes rows with chains of about `length` characters made of our own words and numbers. */
function written(file: string, rows: number, length: number): string {
  const handle = openSync(file, 'w');
  const random = new Random(1, 'sizes');
  for (let i = 0; i < rows; i++) {
    const [a, b] = [random.integer(2, 99), random.integer(2, 99)];
    const step = `A crate holds ${a} jars, so ${b} crates hold ${a} * ${b} = ${a * b} jars. `;
    const chain = `${step.repeat(Math.ceil(length / step.length))}\nAnswer: ${a * b}`;
    const row = { id: `r${i}`, problem: `${b} crates of ${a} jars, case ${i}: how many jars?`, solution: chain };
    writeSync(handle, `${JSON.stringify({ ...row, answer: String(a * b) })}\n`);
  }
  closeSync(handle);
  return file;
}

function report(what: string, command: readonly string[], folder: string): void {
  const used = join(folder, 'used.json');
  const hook = join(folder, 'hook.cjs');
  const write = `require('fs').writeFileSync(${JSON.stringify(used)}, JSON.stringify(process.resourceUsage()))`;
  writeFileSync(hook, `process.on('exit', () => ${write})`);
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ['--require', hook, ...command], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'], // prompts of 50,000 tokens are more than a pipe's buffer takes
  });
  if (status !== 0) throw new Error(`${what}: ${stderr}`);
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(readFileSync(used, 'utf8')) as NodeJS.ResourceUsage;
  const seconds = (microseconds: number) => (microseconds / 1e6).toFixed(1);
  const wall = ((performance.now() - begun) / 1000).toFixed(1);
  const cpu = seconds(userCPUTime + systemCPUTime);
  process.stdout.write(`${what}: ${cpu} s of processor time, ${wall} s, ${(maxRSS / 1024).toFixed(0)} MB\n`);
}
