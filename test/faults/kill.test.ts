import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { uniform } from '../../src/random';
import { latestCheckpoint, listRuns, readMetrics, rolloutSteps } from '../../src/runs/reading';
import { programOfTests } from './program';

const made = programOfTests('train-until-killed');

/**
 * Runs the program, and kills it (SIGKILL) this long after its first output if it is still running. Resolves to whether
 * it finished.
 */
function train(runs: string, updates: number, killAfterMs?: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [made.program, runs, String(updates)], { stdio: ['ignore', 'pipe', 'pipe'] });
    let timer: NodeJS.Timeout | undefined;
    let done = false;
    child.stdout.on('data', (data) => {
      done ||= String(data).includes('done');
      if (killAfterMs !== undefined) timer ??= setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    });
    let said = '';
    child.stderr.on('data', (data) => (said += data));
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      if (code !== null && code !== 0) reject(new Error(`the program ended with ${code}: ${said}`));
      else resolve(done);
    });
  });
}

/** Every file of the only run but its lock and run.json, with its content. */
function contents(runs: string): Record<string, string> {
  const [{ folder: run }] = listRuns(runs);
  const files = readdirSync(run, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/[\\/]lock[\\/]|run\.json$/.test(path));
  return Object.fromEntries(paths.sort().map((path) => [path.slice(run.length), readFileSync(path, 'utf8')]));
}

it('a run that is killed repeatedly ends with the same files as an uninterrupted one', async () => {
  const updates = 45;
  expect(await train(join(made.folder, 'straight'), updates)).toBe(true);

  const runs = join(made.folder, 'killed');
  let kills = 0;
  for (let i = 0; i < 8; i++) {
    if (await train(runs, updates, 15 + 60 * uniform(7, i))) break;
    kills++;
    const [listed] = listRuns(runs);
    if (!listed || !('run' in listed)) continue; // killed before the run's record was there
    // Whenever it was killed, its files can be read: records without gaps, and a checkpoint with a valid checksum.
    expect(listed.run.interrupted || listed.run.record.state === 'created').toBe(true);
    const found = latestCheckpoint(listed.run);
    expect(found?.skipped ?? []).toEqual([]);
    const steps = readMetrics(listed.folder).map((record) => record.step);
    expect(steps).toEqual(steps.map((_, k) => k + 1));
    expect(steps.length).toBeGreaterThanOrEqual(found?.entry.step ?? 0);
    expect(rolloutSteps(listed.folder).length).toBeGreaterThanOrEqual(steps.length);
  }
  expect(kills).toBeGreaterThan(2);
  await train(runs, updates);
  const complete = listRuns(runs).filter((entry) => 'run' in entry);
  expect(complete).toMatchObject([{ run: { record: { state: 'finished' } } }]);
  expect(contents(runs)).toEqual(contents(join(made.folder, 'straight')));
}, 60_000);
