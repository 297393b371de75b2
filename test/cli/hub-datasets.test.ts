/** Datasets of the Hub by name, through the commands that take data. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commit, startHub, type TestHub } from '../../src/hub/testing/hub';
import { packageRoot } from '../../src/paths';
import { type Distillery, openDistillery, tinyFile } from './distillery';

let opened: Distillery;
let distillery: Distillery;
let hub: TestHub;
const fixture = (name: string) => readFileSync(join(packageRoot(), 'test/fixtures', name));
const configs = [
  {
    config_name: 'main',
    data_files: ['train', 'test'].map((split) => ({ split, path: `main/${split}-*` })),
  },
  { config_name: 'answers', data_files: 'answers.jsonl' },
];
beforeAll(async () => {
  opened = await openDistillery();
  const files = {
    'main/train-00000-of-00001.parquet': fixture('parquet/gsm8k-snappy.parquet'),
    'main/test-00000-of-00001.parquet': fixture('parquet/gsm8k-zstd.parquet'),
    'answers.jsonl': fixture('data/recorded.chains.jsonl'),
  };
  hub = await startHub({ kind: 'dataset', repository: 'school/sums', files, card: { configs }, token: 'hf_secret' });
  distillery = withCache('first');
}, 120_000);
afterAll(async () => {
  await hub?.[Symbol.asyncDispose]();
  opened?.close();
});

const withCache = (name: string) =>
  opened.with({
    DISTILLERY_DATASETS_CACHE: join(opened.folder, `cache-${name}`),
    HF_HUB_OFFLINE: '',
    HF_ENDPOINT: hub.url,
    HF_TOKEN: 'hf_secret',
  });
const fetched = () => hub.requests.filter(({ path }) => path.includes('/resolve/')).length;

it('new asks before it sends anything, downloads a subset once, and writes its name', async () => {
  const asked = ['new', 'sums', '--data', 'school/sums/main', '--student', 'student'];
  const refused = await distillery.run(...asked);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('distillery download --dataset school/sums/main'),
  });
  expect(hub.requests).toEqual([]);

  const made = await distillery.run(...asked, '--download');
  expect(made).toMatchObject({ code: 0, stderr: expect.stringMatching(/school\/sums\/main: .* in 2 files/) });
  expect(made.stdout + made.stderr).not.toContain('hf_secret');
  expect(fetched()).toBe(2);
  const { data } = JSON.parse(
    readFileSync(join(opened.folder, 'sums/sums.distillery.json'), 'utf8').replace(/^\s*\/\/.*$/gm, ''),
  );
  expect(data).toMatchObject({ train: { path: 'school/sums/main/train' }, test: { path: 'school/sums/main/test' } });

  const shown = await distillery.json<{ id: string }[]>('preview', 'sums', '--count', '1');
  expect(shown[0].id).toBe('train-00000-of-00001-0');
  const limits = ['--limit', '2', '--max-new-tokens', '4'];
  const evaluated = await distillery.json('evaluate', 'student', '--data', 'school/sums/main/test', ...limits);
  expect(evaluated).toMatchObject({ n: 2 });
  expect(fetched()).toBe(2);
}, 120_000);

it('run fetches what its experiment names, each split by itself', async () => {
  const source = (split: string) => ({
    format: 'rows' as const,
    path: `hf://datasets/school/sums@${commit}/main/${split}`,
  });
  const data = { train: { ...source('train'), count: 8 }, test: { ...source('test'), count: 2 }, validation: 2 };
  const stages = { ...tinyFile().stages, complete: false, rewrite: false } as const;
  opened.write('by-name.distillery.json', tinyFile({ data, stages, baselines: { sft: false } }));
  const second = withCache('second');
  const refused = await second.run('run', 'by-name.distillery.json');
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`--dataset school/sums@${commit}/main/train`),
  });
  const before = fetched();
  expect(await second.run('run', 'by-name.distillery.json', '--download')).toMatchObject({ code: 0 });
  expect(fetched() - before).toBe(2);
}, 120_000);

it('download and import cases accept a dataset, and report errors', async () => {
  expect(await distillery.json('download', '--dataset', 'school/sums/answers')).toMatchObject({
    dataset: 'school/sums/answers',
    fetched: true,
    folder: expect.stringContaining(join('snapshots', commit, 'answers')),
  });
  const imported = await distillery.run('import', 'cases', 'school/sums/answers');
  expect(imported).toMatchObject({ code: 0, stdout: expect.stringMatching(/1 case, /) });
  const cases: [Distillery, string, RegExp][] = [
    [distillery, 'school/sums', /has 2 subsets[\s\S]*school\/sums\/main, school\/sums\/answers/],
    [distillery, 'school/nothing', /has no school\/nothing/],
    [withCache('third').with({ HF_TOKEN: '' }), 'school/sums/main/train', /HF_TOKEN/],
    [distillery, 'sums.jsonl', /not the name of a dataset/],
  ];
  for (const [place, name, message] of cases)
    expect(await place.run('download', '--dataset', name)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(message),
    });
}, 120_000);
