import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { commit, startHub, type TestHub } from '../../src/hub/testing/hub';
import { type Distillery, openDistillery, tinyFile } from './distillery';

let opened: Distillery;
let distillery: Distillery;
let hub: TestHub;
beforeAll(async () => {
  opened = await openDistillery();
  const student = join(opened.folder, 'student');
  const files = Object.fromEntries(readdirSync(student).map((name) => [name, readFileSync(join(student, name))]));
  hub = await startHub({ repository: 'tiny/random', files, token: 'hf_secret' });
}, 120_000);
afterAll(async () => {
  await hub?.[Symbol.asyncDispose]();
  opened?.close();
});
beforeEach(({ task }) => {
  // A cache for each test, and none of this machine's.
  const cache = join(opened.folder, `cache-${task.id}`);
  distillery = opened.with({
    DISTILLERY_STUDENTS_CACHE: cache,
    HF_HOME: join(cache, 'hf'),
    HF_HUB_CACHE: '',
    HF_HUB_OFFLINE: '',
    HF_ENDPOINT: hub.url,
    HF_TOKEN: 'hf_secret',
  });
});

it('fetches a student by name, once, and it is asked by its name', async () => {
  const first = await distillery.run('download', 'tiny/random');
  expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('tiny/random was downloaded') });
  expect(first.stderr).toMatch(/tiny\/random: .* in 4 files\nfrom http:\/\/127/);
  expect(first.stdout + first.stderr).not.toContain('hf_secret');
  const again = await distillery.json<{ folder: string; fetched: boolean }>('download', `tiny/random@${commit}`);
  expect(again).toMatchObject({ fetched: false, folder: expect.stringContaining(join('snapshots', commit)) });
  const options = ['--data', 'arithmetic', '--limit', '2', '--max-new-tokens', '4'];
  expect(await distillery.json('evaluate', 'tiny/random', ...options)).toMatchObject({
    n: 2,
    checkpoint: again.folder,
  });
});

it('refuses a run whose student is not here, without a request, and fetches it with --download', async () => {
  const stages = { ...tinyFile().stages, complete: false, rewrite: false } as const;
  const named = tinyFile({ student: { path: 'tiny/random' }, stages, baselines: { sft: false } });
  distillery.write('by-name.distillery.json', named);
  const before = hub.requests.length;
  const refused = await distillery.run('run', 'by-name.distillery.json');
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('distillery download tiny/random') });
  expect(hub.requests.length).toBe(before);
  const offline = await distillery.with({ HF_HUB_OFFLINE: '1' }).run('run', 'by-name.distillery.json', '--download');
  expect(offline).toMatchObject({ code: 2, stderr: expect.stringContaining('HF_HUB_OFFLINE') });
  expect(hub.requests.length).toBe(before);
  const run = await distillery.run('run', 'by-name.distillery.json', '--download', '--limit', '2');
  expect(run).toMatchObject({ code: 0 });
  const { experiment } = JSON.parse(
    readFileSync(
      join(/The run is in (\S+)/.exec(run.stdout)![1].replace(/^/, `${distillery.folder}/`), 'config.json'),
      'utf8',
    ),
  );
  expect(experiment.student).toMatchObject({ path: expect.stringContaining(commit), prompt: 'plain' });
});

it('reports a missing token, model or name', async () => {
  const cases: [Distillery, string, RegExp][] = [
    [distillery.with({ HF_TOKEN: '' }), 'tiny/random', /HF_TOKEN/],
    [distillery, 'tiny/nothing', /has no tiny\/nothing/],
    [distillery, 'tiny', /not a name/],
    [distillery.with({ HF_ENDPOINT: 'http://127.0.0.1:9' }), 'tiny/random', /cannot be reached/],
  ];
  for (const [place, name, message] of cases)
    expect(await place.run('download', name)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
}, 60_000);

it('takes a folder before a model of the same name', async () => {
  cpSync(join(distillery.folder, 'student'), join(distillery.folder, 'tiny', 'random'), { recursive: true });
  const options = ['--data', 'arithmetic', '--limit', '2', '--max-new-tokens', '4'];
  expect(await distillery.json('evaluate', 'tiny/random', ...options)).toMatchObject({
    checkpoint: join(distillery.folder, 'tiny', 'random'),
  });
});
