/**
 * Whole runs of all stages on the embedded engine, killed at random times, in saves and inside appends, and resumed
 * until they are done. `npm run test:faults` kills 117 times.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tinyWorkspace } from '../../src/curriculum/testing/tiny';
import { packageRoot } from '../../src/paths';
import { uniform } from '../../src/random';
import { listRuns } from '../../src/runs/reading';
import { bundleProgram } from './program';
import { withoutTimes } from './records';

const thorough = process.env.DISTILLERY_THOROUGH === '1';
const kills = thorough ? { random: 20, save: 34, append: 63 } : { random: 1, save: 2, append: 2 };
const places = ['append', 'save', 'random'] as const;
type Place = (typeof places)[number];

let folder = '';
let bundles = '';
let program = '';
beforeAll(async () => {
  folder = await tinyWorkspace();
  mkdirSync(join(packageRoot(), 'dist'), { recursive: true });
  bundles = mkdtempSync(join(packageRoot(), 'dist', 'faults-')); // beside the kernels
  program = await bundleProgram('train-tiny', bundles);
});
afterAll(() => {
  for (const scratch of [folder, bundles]) rmSync(scratch, { recursive: true, force: true });
});

/** Begins or goes on, and dies at the place, if it gets there. Resolves to whether it was killed. */
function train(runs: string, place?: Place, count = 0): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const args = [program, folder, runs, ...(place && place !== 'random' ? [place, String(count)] : [])];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let words = '';
    child.stderr.on('data', (data) => (words += data));
    child.stdout.once('data', () => {
      if (place === 'random') setTimeout(() => child.kill('SIGKILL'), count);
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (signal === 'SIGKILL') resolve(true);
      else if (code === 0) resolve(false);
      else reject(new Error(`it ended with ${code ?? signal}: ${words}`));
    });
  });
}

/** Every file of the only run by its name, without what differs between equal runs: times, processes, ids. */
function contents(runs: string): Record<string, string> {
  const [listed] = listRuns(runs);
  expect(listed).toMatchObject({ run: { record: { state: 'finished' } } });
  const run = listed.folder;
  const files = readdirSync(run, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/[\\/]lock[\\/]|run\.json$/.test(path));
  return Object.fromEntries(
    paths.sort().map((path) => [path.slice(run.length), withoutTimes(readFileSync(path, 'latin1'))]),
  );
}

it('a run killed again and again ends with the files of one that was left alone', async () => {
  const straight = join(folder, 'straight');
  const started = performance.now();
  expect(await train(straight)).toBe(false);
  const whole = performance.now() - started;
  const expected = contents(straight);

  const left = { ...kills };
  const total = Object.values(kills).reduce((sum, n) => sum + n);
  let made = 0;
  for (let run = 0; Object.values(left).some((n) => n > 0); run++) {
    const runs = join(folder, `killed-${run}`);
    for (;;) {
      const open = places.filter((one) => left[one] > 0);
      const place = open[made % open.length];
      const draw = uniform(11, run, made);
      const count = place === 'random' ? draw * whole : 1 + Math.floor(draw * 40);
      if (!place || !(await train(runs, place, count))) break;
      left[place]--;
      made++;
      if (thorough && made % 10 === 0) process.stderr.write(`killed ${made} of ${total} times\n`);
    }
    await train(runs);
    const found = contents(runs);
    const different = Object.keys({ ...expected, ...found }).filter((file) => found[file] !== expected[file]);
    expect(different, `run ${run}`).toEqual([]);
    rmSync(runs, { recursive: true });
  }
  expect(made).toBe(total);
}, 3_600_000);
