import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSmallText } from '../../lines';
import { packageRoot } from '../../paths';
import { readJsonObject } from '../../student-files/files';
import { configIssues } from '../config/issues';
import { limitReading, loadNamedData, mayRead } from './named-files';
import { RunCache } from './run-cache';

const row = '{"id": "a", "question": "What is 1 + 1?", "answer": "2", "chain": "1 + 1 = 2\\nThe answer is 2"}\n';

let folder: string;
let root: string;
let trusted: boolean;
beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'distillery-named-')));
  root = join(folder, 'workspace');
  fs.mkdirSync(root);
  fs.writeFileSync(join(folder, 'secret.jsonl'), row);
  fs.writeFileSync(join(root, 'own.jsonl'), row);
  fs.symlinkSync(folder, join(root, 'out'));
  fs.symlinkSync(root, join(folder, 'link'));
  trusted = false;
  limitReading({ trusted: () => trusted, roots: () => [root] });
});
afterEach(() => {
  limitReading({ trusted: () => true, roots: () => [] });
  fs.rmSync(folder, { recursive: true });
});

describe('in Restricted Mode', () => {
  it('files in the workspace are read, and nothing else', () => {
    const outside = [
      join(folder, 'secret.jsonl'),
      join(root, 'out/secret.jsonl'),
      '/dev/zero',
      '//server/share/x.jsonl',
    ];
    for (const path of outside) expect(mayRead(path), path).toBe(false);
    for (const path of [root, join(root, 'own.jsonl'), join(root, 'missing/x')]) expect(mayRead(path), path).toBe(true);
    const source = { format: 'chains', path: 'own.jsonl', start: 0 } as const;
    expect(loadNamedData(source, root).problems).toHaveLength(1);
    const secret = { ...source, path: '../secret.jsonl' };
    expect(() => loadNamedData(secret, root)).toThrow(expect.objectContaining({ code: 'trust' }));
    trusted = true;
    expect(loadNamedData(secret, root).problems).toHaveLength(1);
  });

  it('a folder that is opened through a link is a folder of the workspace', () => {
    limitReading({ trusted: () => false, roots: () => [join(folder, 'link')] });
    expect(mayRead(join(folder, 'link/own.jsonl'))).toBe(true);
    expect(mayRead(join(folder, 'link/missing/x'))).toBe(true);
  });

  it('no reader follows a link out of the workspace: to a file, to a folder, of a run', () => {
    const run = join(root, '.distillery', 'runs', '20260101-000000-x');
    fs.mkdirSync(run, { recursive: true });
    fs.symlinkSync(join(folder, 'secret.jsonl'), join(run, 'failures.jsonl'));
    fs.symlinkSync(folder, join(root, 'student'));
    fs.writeFileSync(join(folder, 'config.json'), '{"secret": 1}');
    const refused = expect.objectContaining({ code: 'trust' });
    const cache = new RunCache();
    expect(cache.failures(run).problem).toMatchObject({ code: 'trust' });
    expect(() => readJsonObject(join(root, 'student', 'config.json'))).toThrow(refused);
    expect(readSmallText(join(root, 'own.jsonl'))).toBe(row);
    fs.renameSync(join(root, '.distillery', 'runs'), join(folder, 'runs'));
    fs.symlinkSync(join(folder, 'runs'), join(root, '.distillery', 'runs'));
    expect(cache.list([join(root, '.distillery', 'runs')])).toEqual([]);
    trusted = true;
    expect(cache.list([join(root, '.distillery', 'runs')])).toHaveLength(1);
    expect(readJsonObject(join(root, 'student', 'config.json'))).toEqual({ secret: 1 });
    expect(cache.failures(run).problem?.code).not.toBe('trust');
  });

  it('an experiment reports what is not read, and shows none of its content', () => {
    const data = {
      train: { format: 'chains', path: '../secret.jsonl' },
      test: { format: 'arithmetic', seed: 1, count: 9 },
    };
    const stages = { complete: { reward: '../x.reward.json' } };
    const text = JSON.stringify({ name: 'x', student: { path: '/etc' }, data, stages });
    const found = () => configIssues('experiment', text, join(root, 'x.distillery.json'), () => '{}');
    const told = found().filter(({ message }) => /not read in Restricted Mode/.test(message));
    expect(told.map(({ path }) => path.join('.'))).toEqual([
      'student.path',
      'data.train.path',
      'stages.complete.reward',
    ]);
    expect(found().filter(({ message }) => /exist|folder|line 1/.test(message))).toEqual([]);
    trusted = true;
    expect(found().some(({ message }) => /does not exist/.test(message))).toBe(true);
  });
});

it('the extension reads data by this module alone', () => {
  const sources = join(packageRoot(), 'src', 'extension');
  const others = fs
    .readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((file) => /(?<!test)\.ts$/.test(file) && /\bloadData\b/.test(fs.readFileSync(join(sources, file), 'utf8')));
  expect(others).toEqual(['workspace/named-files.ts']);
});
