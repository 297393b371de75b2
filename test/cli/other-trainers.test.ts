import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/paths';
import { openRun, rolloutSteps } from '../../src/runs/reading';
import { type Distillery, openDistillery, outcome } from './distillery';

const fixtures = join(packageRoot(), 'test', 'fixtures', 'rollouts');
let distillery: Distillery;
beforeAll(async () => {
  distillery = await openDistillery();
});
afterAll(() => distillery?.close());

describe('runs of other trainers', () => {
  it('are imported, shown, scored anew, reported and written for TensorBoard', async () => {
    const { folder, updates } = await distillery.json<{ folder: string; updates: number }>(
      'import',
      'rollouts',
      join(fixtures, 'trl'),
    );
    expect(updates).toBe(3);
    const shown = await distillery.run('show', 'latest');
    expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining('every completion of 3 updates')]);
    const reward = distillery.write('short.reward.json', { name: 'short', components: [{ use: 'correctness' }] });
    const scored = await distillery.run('score', reward, 'latest');
    expect([scored.code, scored.stdout]).toEqual([0, expect.stringContaining('sample 3, update 3: rank')]);
    const report = await distillery.json<{ file: string }>('report', 'latest', '--out', 'report.html');
    expect(readFileSync(report.file, 'utf8')).toContain('Best completion');
    const taken = distillery.write('mine.html', '<p>not ours</p>');
    expect((await distillery.run('report', 'latest', '--out', taken)).stderr).toContain(
      'no earlier one of this command',
    );
    const events = await distillery.json<{ files: string[] }>('tensorboard', folder);
    expect(events.files.every((file) => existsSync(file))).toBe(true);
  });

  it('are followed until Ctrl-C, and the run is finished then', async () => {
    const child = distillery.start('import', 'rollouts', join(fixtures, 'verl'), '--follow', '--runs', 'followed');
    const done = outcome(child);
    const runs = join(distillery.folder, 'followed');
    const followed = () => (existsSync(runs) ? readdirSync(runs).map((name) => join(runs, name)) : []);
    while (!followed().some((run) => existsSync(join(run, 'run.json')) && rolloutSteps(run).length > 0))
      await new Promise((next) => setTimeout(next, 100));
    child.kill('SIGINT');
    expect((await done).code).toBe(0);
    const [run] = followed();
    expect(openRun(run).record.state).toBe('finished');
    expect(rolloutSteps(run)).toHaveLength(2);
  });
});
