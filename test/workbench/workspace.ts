/**
 * The folder that the tests open: experiments of a few seconds on a random student, a dataset, a reward, and one
 * finished run.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExperimentInput } from '../../src/config/experiment';
import { tinyWorkspace } from '../../src/curriculum/testing/tiny';
import { packageRoot } from '../../src/paths';
import { tinyFile } from '../cli/distillery';

/** A folder's name that is quoted, escaped or encoded wherever that is forgotten. */
export const awkwardName = "wörk #1 100% it's [ok] {a}";

/** Makes the folder, which must not exist yet. */
export async function createWorkspace(folder: string, { withRun = true } = {}): Promise<void> {
  made ??= makeWorkspace();
  const model = await made;
  cpSync(model, folder, { recursive: true });
  if (!withRun) rmSync(join(folder, '.distillery'), { recursive: true });
  else for (const run of runsOf(folder)) moveTo(folder, model, join(run, 'config.json'));
}

/** The folder that the others are copied from, because a run takes seconds. */
let made: Promise<string> | undefined;

async function makeWorkspace(): Promise<string> {
  const folder = await tinyWorkspace();
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, content: object) => writeFileSync(join(folder, name), JSON.stringify(content, null, 2));
  write('tiny.distillery.json', tinyFile());
  write('long.distillery.json', longFile());
  write('accuracy.reward.json', { components: [{ use: 'correctness' }] });
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'data/sums.chains.jsonl'), sums.map((row) => `${JSON.stringify(row)}\n`).join(''));
  runTiny(folder);
  return folder;
}

/** A run's settings name its student by the whole path. */
function moveTo(folder: string, from: string, file: string): void {
  const quoted = (path: string) => JSON.stringify(path).slice(1, -1);
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(quoted(from), quoted(folder)));
}

/** Folders of a workspace's runs, oldest first. */
export const runsOf = (folder: string): string[] =>
  readdirSync(join(folder, '.distillery/runs'))
    .sort()
    .map((name) => join(folder, '.distillery/runs', name));

/** Like tiny, but long enough for a test to act on the run. */
function longFile(): ExperimentInput {
  const tiny = tinyFile();
  const complete = { ...tiny.stages!.complete!, updates: 100_000 };
  return { ...tiny, name: 'long', stages: { complete }, baselines: {}, evaluation: { every: 500, maxNewTokens: 8 } };
}

const sums = [
  { id: 'sum-1', question: 'What is 2 + 3?', answer: '5', chain: 'Step 1: 2 + 3 = 5\nThe answer is 5' },
  { id: 'sum-2', question: 'What is 4 + 9?', answer: '13', chain: 'Step 1: 4 + 9 = 13\nThe answer is 13' },
  { id: 'sum-3', question: 'What is 7 + 8?', answer: '15', chain: 'Step 1: 7 + 8 = 15\nThe answer is 15' },
];

/** Runs the experiment with the command line in dist/. */
function runTiny(folder: string): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(packageRoot(), 'dist/cli.js'), 'run', 'tiny.distillery.json'],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', DISTILLERY_THREADS: '1' } },
  );
  if (status !== 0) throw new Error(`The tiny experiment failed:\n${stdout}${stderr}`);
}
