/**
 * Whole runs of all stages, killed at random times, in saves and inside appends, and resumed until they finish. `npm
 * run test:faults` kills 117 times on the embedded engine, and as often on PyTorch if DISTILLERY_PYTHON names a Python
 * with it (on one thread, where its sums are the same each time).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
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
const python = process.env.DISTILLERY_PYTHON;
const backends = ['embedded', ...(thorough && python ? ['torch'] : [])];
const places = ['append', 'save', 'random'] as const;
type Place = (typeof places)[number];

let folder = '';
let bundles = '';
let program = '';
let engines: ChildProcess | undefined;
beforeAll(async () => {
  folder = await tinyWorkspace();
  mkdirSync(join(packageRoot(), 'dist'), { recursive: true });
  bundles = mkdtempSync(join(packageRoot(), 'dist', 'faults-')); // beside the kernels
  program = await bundleProgram('train-tiny', bundles);
  if (backends.includes('torch')) engines = await warmEngines(join(folder, 'engines'));
}, 240_000);
afterAll(() => {
  engines?.kill();
  for (const scratch of [folder, bundles]) rmSync(scratch, { recursive: true, force: true });
});

/** All runs of this file get their PyTorch engines from one process that has imported the libraries. */
async function warmEngines(address: string): Promise<ChildProcess> {
  const script = join(packageRoot(), 'test/faults/warm_engine.py');
  const env = { ...process.env, PYTHONPATH: join(packageRoot(), 'python'), OMP_NUM_THREADS: '1' };
  const server = spawn(python!, [script, 'serve', address], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [word] = await Promise.race([once(server.stdout, 'data'), once(server, 'exit')]);
  expect(String(word).trim()).toBe('ready');
  process.env.DISTILLERY_ENGINE = `"${python}" -S -E "${script}" start "${address}"`;
  return server;
}

/** Starts or resumes a run, which is killed if it reaches the given place. Resolves to whether it was killed. */
function train(backend: string, runs: string, { place, count = 0 }: { place?: Place; count?: number } = {}) {
  return new Promise<boolean>((resolve, reject) => {
    const args = [program, folder, runs, backend, ...(place && place !== 'random' ? [place, String(count)] : [])];
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

it.each(backends)(
  'a run killed again and again ends with the files of one that was left alone: %s',
  async (backend) => {
    const straight = join(folder, `straight-${backend}`);
    const started = performance.now();
    expect(await train(backend, straight)).toBe(false);
    const whole = performance.now() - started;
    const expected = contents(straight);

    const left = { ...kills };
    const total = Object.values(kills).reduce((sum, n) => sum + n);
    let made = 0;
    for (let run = 0; Object.values(left).some((n) => n > 0); run++) {
      const runs = join(folder, `killed-${backend}-${run}`);
      for (;;) {
        const open = places.filter((one) => left[one] > 0);
        const place = open[made % open.length];
        const draw = uniform(11, run, made);
        const count = place === 'random' ? draw * whole : 1 + Math.floor(draw * 40);
        if (!place || !(await train(backend, runs, { place, count }))) break;
        left[place]--;
        made++;
        if (thorough && made % 10 === 0) process.stderr.write(`${backend}: killed ${made} of ${total} times\n`);
      }
      await train(backend, runs);
      const found = contents(runs);
      const different = Object.keys({ ...expected, ...found }).filter((file) => found[file] !== expected[file]);
      expect(different, `run ${run}`).toEqual([]);
      rmSync(runs, { recursive: true });
    }
    expect(made).toBe(total);
  },
  7_200_000,
);

it.runIf(thorough)(
  'a run killed in every eighth append gets on, and ends',
  async () => {
    const runs = join(folder, 'eighth');
    let killed = 0;
    while (await train('embedded', runs, { place: 'append', count: 8 })) expect(++killed).toBeLessThan(60);
    expect(killed).toBeGreaterThan(5);
    contents(runs);
  },
  1_200_000,
);
