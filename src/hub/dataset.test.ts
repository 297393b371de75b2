import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findDataset, locateDataset, missingDataset } from './cache';
import { datasetNameText, parseDatasetName } from './dataset-name';
import { planDataset } from './dataset-plan';
import { download } from './download';
import { commit, type HubOptions, startHub } from './testing/hub';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'datasets-'));
});
afterEach(() => rmSync(cache, { recursive: true }));

const row = (n: number) => `{"question":"${n}+${n}?","answer":"${2 * n}"}\n`;
const files = {
  'README.md': '---\n---',
  '.gitattributes': '',
  'main/train-00000-of-00001.parquet': 'PAR1 main train',
  'main/test-00000-of-00001.parquet': 'PAR1 main test',
  'socratic/train-00000-of-00001.parquet': 'PAR1 socratic train',
  'socratic/test-00000-of-00001.parquet': 'PAR1 socratic test',
};
/** As openai/gsm8k has it. */
const card = {
  configs: ['main', 'socratic'].map((name) => ({
    config_name: name,
    data_files: [
      { split: 'train', path: `${name}/train-*` },
      { split: 'test', path: `${name}/test-*` },
    ],
  })),
};

/** What a name brings from a repository: paths below the folder that holds it, with their contents. */
async function fetched(part: string, options: Partial<HubOptions> = {}) {
  await using hub = await startHub({ kind: 'dataset', repository: 'owner/data', files, card, page: 2, ...options });
  const at = { url: hub.url, retryDelayMs: 1 };
  const name = parseDatasetName(`hf://datasets/owner/data${part && `/${part}`}`)!;
  const folder = await download(at, await planDataset(at, name), cache);
  expect(findDataset(name, { DISTILLERY_DATASETS_CACHE: cache })).toBe(folder);
  const paths = (readdirSync(folder, { recursive: true }) as string[]).filter((path) => /\.\w+$/.test(path)).sort();
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}
const plain = (names: string[]) => ({ card: {}, files: Object.fromEntries(names.map((name) => [name, row(1)])) });
const inCache = (text: string) => findDataset(parseDatasetName(text)!, { DISTILLERY_DATASETS_CACHE: cache });

describe('a dataset of the Hub', () => {
  it('brings the splits of a subset, each in its folder, or one of them', async () => {
    expect(await fetched('main')).toEqual({
      'test/main/test-00000-of-00001.parquet': 'PAR1 main test',
      'train/main/train-00000-of-00001.parquet': 'PAR1 main train',
    });
    const snapshot = join(cache, 'datasets--owner--data', 'snapshots', commit);
    expect(inCache('owner/data/main/test')).toBe(join(snapshot, 'main', 'test')); // it came with the subset
    expect(inCache('owner/data/socratic')).toBeNull();
    expect(await fetched('socratic/train')).toEqual({ 'socratic/train-00000-of-00001.parquet': 'PAR1 socratic train' });
    expect(inCache(`owner/data@${commit}/socratic/train`)).not.toBeNull();
    expect(inCache('owner/data/socratic')).toBeNull();
  });

  it('asks for the subset and the split where there are several, with their names', async () => {
    await expect(fetched('')).rejects.toMatchObject({
      message: 'owner/data has 2 subsets',
      remedy: 'Choose one of them: owner/data/main, owner/data/socratic',
    });
    await expect(fetched('main/dev')).rejects.toMatchObject({ remedy: 'Its splits: train, test.' });
    await expect(fetched('mian')).rejects.toMatchObject({ remedy: 'Available: owner/data/main, owner/data/socratic' });
    const splits = ['cot', 'tir'].map((split) => ({ split, path: `data/${split}-*` }));
    const strange = {
      card: { configs: [{ config_name: 'default', data_files: splits }] },
      files: { 'data/cot-0.jsonl': row(1), 'data/tir-0.jsonl': row(2) },
    };
    await expect(fetched('', strange)).rejects.toMatchObject({
      remedy: 'Choose one of them: owner/data/default/cot, owner/data/default/tir',
    });
    expect(await fetched('tir', strange)).toEqual({ 'data/tir-0.jsonl': row(2) });
  });

  it('reads every form of the readme, and takes the default subset', async () => {
    const forms: [unknown, string[]][] = [
      [{ config_name: 'a', data_files: 'x.jsonl' }, ['x.jsonl']],
      [{ config_name: 'a', data_files: ['x.jsonl', 'y.jsonl'] }, ['x.jsonl', 'y.jsonl']],
      [{ config_name: 'a', data_files: [{ split: 'train', path: ['x.jsonl', './y.jsonl'] }] }, ['x.jsonl', 'y.jsonl']],
      [{ config_name: 'a', data_dir: 'in', data_files: '*.jsonl' }, ['in/train.jsonl', 'in/z.jsonl']],
      [{ config_name: 'a', data_dir: './in/' }, ['in/train.jsonl', 'in/z.jsonl']],
    ];
    const { files } = plain(['x.jsonl', 'y.jsonl', 'in/train.jsonl', 'in/z.jsonl']);
    for (const [config, expected] of forms) {
      expect(Object.keys(await fetched('', { card: { configs: [config] }, files }))).toEqual(expected);
      rmSync(join(cache, 'datasets--owner--data'), { recursive: true });
    }
    const two = [
      { config_name: 'a', data_files: 'x.jsonl' },
      { config_name: 'b', data_files: 'y.jsonl', default: true },
    ];
    expect(Object.keys(await fetched('', { card: { configs: two }, files }))).toEqual(['y.jsonl']);
    for (const odd of [null, 'text', { configs: 3 }, { configs: [null, { config_name: 7 }, { config_name: 'a' }] }])
      expect(Object.keys(await fetched('y.jsonl', { card: odd, files }))).toEqual(['y.jsonl']);
  });

  it('without subsets takes all files of the usual kind, by split, path or pattern', async () => {
    const repository = plain(['train.jsonl', 'test.jsonl', 'extra/more.csv', 'config.json', 'dataset_infos.json']);
    expect(Object.keys(await fetched('', repository))).toEqual(['test/test.jsonl', 'train/train.jsonl']);
    expect(inCache('owner/data/test')).toMatch(/default.test$/);
    expect(Object.keys(await fetched('extra', repository))).toEqual(['extra/more.csv']);
    expect(Object.keys(await fetched('tr*.jsonl', repository))).toEqual(['train.jsonl']);
    const one = plain(['data/test-0.parquet', 'data/test-1.parquet']);
    rmSync(join(cache, 'datasets--owner--data'), { recursive: true });
    expect(Object.keys(await fetched('test', one))).toEqual(['data/test-0.parquet', 'data/test-1.parquet']);
    await expect(fetched('no/such', repository)).rejects.toMatchObject({
      remedy: expect.stringContaining('owner/data/train.jsonl'),
    });
  });

  it('knows how the Hub lays out its own Parquet files, and names them where nothing else is read', async () => {
    const names = ['default/train/0000.parquet', 'default/train/0001.parquet', 'default/test/0000.parquet'];
    expect(Object.keys(await fetched('default/train', plain(names)))).toEqual(names.slice(0, 2));
    await expect(fetched('', plain(['data.py', 'images.zip']))).rejects.toMatchObject({
      remedy: expect.stringContaining('owner/data@refs/convert/parquet'),
    });
  });

  it('writes nothing outside of its folder, whatever the paths', async () => {
    const evil = ['../x.jsonl', '/etc/x.jsonl', 'a/../../x.jsonl', 'c:\\x.jsonl', 'a//x.jsonl', 'good.jsonl'];
    expect(Object.keys(await fetched('', plain(evil)))).toEqual(['good.jsonl']);
    expect(readdirSync(cache)).toEqual(['datasets--owner--data']);
  });
});

describe('its name', () => {
  it.each([
    ['openai/gsm8k', 'openai/gsm8k', 'main', ''],
    ['openai/gsm8k/main/train', 'openai/gsm8k', 'main', 'main/train'],
    ['hf:openai/gsm8k@v1/main', 'openai/gsm8k', 'v1', 'main'],
    ['hf://datasets/a/b@refs/convert/parquet/default/train', 'a/b', 'refs/convert/parquet', 'default/train'],
    ['hf://datasets/a/b@refs%2Fpr%2F3/x', 'a/b', 'refs/pr/3', 'x'],
    ['hf://datasets/a/b/data/train-*.parquet', 'a/b', 'main', 'data/train-*.parquet'],
    ['https://huggingface.co/datasets/a/b', 'a/b', 'main', ''],
  ])('is %s', (text, repository, revision, part) => {
    const name = parseDatasetName(text)!;
    expect(name).toEqual({ repository, revision, part });
    expect(parseDatasetName(`hf:${datasetNameText(name)}`)).toEqual(name);
  });

  it.each([
    'train.jsonl',
    'data/train.jsonl',
    'data/*.json',
    './a/b',
    '../a/b',
    '/a/b',
    'a',
    'a/b/../c',
    'a/b//c',
    'C:\\a\\b',
  ])('is not %s', (text) => expect(parseDatasetName(text)).toBeNull());

  it('is used if there is no path of this name', () => {
    expect(missingDataset('owner/none', cache)).toMatchObject({ repository: 'owner/none' });
    writeFileSync(join(cache, 'owner'), '');
    expect(locateDataset('owner', cache)).toBe(join(cache, 'owner'));
    expect(locateDataset('owner/none', cache)).toBe(join(cache, 'owner', 'none'));
    expect(existsSync(join(cache, 'owner', 'none'))).toBe(false);
  });
});
