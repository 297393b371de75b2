/** What schedulers need: resuming a run, several signals to end, and a copy for others to read. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readMetrics } from '../../src/runs/reading';
import { type Distillery, openDistillery, outcome, tinyFile } from './distillery';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

let distillery: Distillery;
beforeAll(async () => {
  distillery = await openDistillery();
  const sft = { updates: 120, batch: 2, evaluateEvery: 500 };
  const stages = { reconstruct: false as const, complete: false as const, rewrite: false as const };
  distillery.write(
    'job/job.distillery.json',
    tinyFile({ student: { path: '../student' }, stages, baselines: { sft } }),
  );
});
afterAll(() => distillery?.close());

const job = ['run', 'job', '--continue', '--runs', 'runs', '--mirror', 'copies'];
const runs = () => readdirSync(join(distillery.folder, 'runs')).sort();

it('--continue takes up the run that a job left, whatever SIGTERM it got, and begins where there is none', async () => {
  const child = distillery.start(...job, '--json');
  await new Promise<void>((seen) => child.stdout!.on('data', (data) => /"type":"update"/.test(String(data)) && seen()));
  const end = outcome(child);
  child.kill('SIGTERM');
  child.kill('SIGTERM');
  expect((await end).code).toBe(130);
  const [first] = runs();
  const before = readMetrics(join(distillery.folder, 'runs', first)).length;
  expect(before).toBeLessThan(120);

  // The next job is on another machine, where there is only the copy.
  rmSync(join(distillery.folder, 'runs', first), { recursive: true });
  expect(await distillery.run(...job)).toMatchObject({ code: 0, stdout: expect.stringContaining('Plain SFT') });
  expect(runs()).toEqual([first]);
  expect(readMetrics(join(distillery.folder, 'runs', first))).toHaveLength(120);
  expect((await distillery.run(...job)).stdout).toContain('This run is finished');
  expect(readMetrics(join(distillery.folder, 'copies', first))).toHaveLength(120);
  expect((await distillery.run(...job, '--seed', '9', '--limit', '2')).code).toBe(0);
  expect(runs()).toHaveLength(2);
});

it.each(['folder', 'rsync', 'rclone'])('mirror and pull copy a run by %s', async (way) => {
  if (way !== 'folder' && spawnSync(way, ['--version']).error) {
    process.stderr.write(`${way}: NOT RUN, it is not installed here\n`);
    return;
  }
  const by = way === 'folder' ? [] : ['--with', way];
  // rclone reaches a folder by one of its remotes, which the environment names.
  const remote = way === 'rclone' ? 'bucket:' : '';
  const { json } = distillery.with({ RCLONE_CONFIG_BUCKET_TYPE: 'local' });
  const bucket = `${remote}${join(distillery.folder, `bucket-${way}`)}`;
  const [run] = runs();
  distillery.write(`bucket-${way}/there`, '');
  const made = await json<{ to: string }>('mirror', run, '--runs', 'runs', '--to', bucket, ...by);
  expect(made.to).toBe(`${bucket}/${run}`);
  const pulled = await json<{ to: string }>('pull', made.to, '--runs', `back-${way}`, ...by);
  const original = join(distillery.folder, 'runs', run);
  expect(readdirSync(pulled.to).sort()).toEqual(
    readdirSync(original)
      .filter((name) => name !== 'lock')
      .sort(),
  );
  expect(readFileSync(join(pulled.to, 'metrics.jsonl'))).toEqual(readFileSync(join(original, 'metrics.jsonl')));
  expect(await distillery.json('show', pulled.to)).toMatchObject({ state: 'finished' });
});

it('refuses places that only a program reaches, and programs that it does not know', async () => {
  const [run] = runs();
  const mirror = (...more: string[]) => distillery.run('mirror', run, '--runs', 'runs', '--to', ...more);
  expect((await mirror('s3://bucket/runs')).stderr).toContain('--with rsync or rclone');
  expect((await mirror('box:runs', '--with', 'ftp')).stderr).toContain('--with does not know ftp');
  expect((await distillery.run('pull', 'nowhere/run')).stderr).toContain('there is no run');
});
