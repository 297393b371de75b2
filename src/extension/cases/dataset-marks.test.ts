import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listRuns } from '../../runs/reading';
import { createRun } from '../../runs/writer';
import { RunCache } from '../workspace/run-cache';
import { answersTo, datasetMarks } from './dataset-marks';
import { datasetRows } from './dataset-rows';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'marks-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('rows of a dataset', () => {
  test('are numbered as the readers number them', () => {
    const lines = [
      '{"id":"a","question":"q","answer":3}',
      '',
      '{"id": 7',
      '{"question":"q","answer":"x\\n#### 1,080"}',
    ];
    expect(datasetRows('/d/train.jsonl', lines, 0, 9)).toEqual([
      { line: 0, problemId: 'a', answer: '3' },
      { line: 3, problemId: 'train-2', answer: '1,080' },
    ]);
    expect(datasetRows('/d/train.jsonl', lines, 1, 3)).toHaveLength(1);
  });
});

describe('marks', () => {
  const file = () => join(folder, 'test.chains.jsonl');
  const rows = [
    { line: 0, problemId: 'a', answer: '57' },
    { line: 1, problemId: 'b', answer: '9' },
    { line: 2, problemId: 'c', answer: '1' },
  ];
  const makeRun = (name: string, path: string, time: string) => {
    const data = { train: { format: 'chains', path: join(folder, 'train.jsonl') }, test: { format: 'chains', path } };
    return createRun(join(folder, 'runs'), name, { experiment: { data } }, () => new Date(time));
  };
  const answer = (problemId: string, gold: string, said: string) => ({
    problemId,
    gold,
    text: `Answer: ${said}`,
    answer: said,
    correct: said === gold,
    finished: true,
    tokens: 12,
  });
  const found = () => answersTo(file(), listRuns(join(folder, 'runs')), new RunCache());

  test("are the last evaluation's, of the newest run that knows the file and answered it", () => {
    const run = makeRun('one', file(), '2026-01-01T00:00:00Z');
    run.evaluation('base', [answer('a', '57', '1'), answer('b', '9', '9')]);
    run.evaluation('complete-10', [answer('a', '57', '60')]);
    run.close();
    makeRun('other', join(folder, 'other.jsonl'), '2026-01-02T00:00:00Z').close();
    makeRun('empty', file(), '2026-01-03T00:00:00Z').close();
    const known = found()!;
    expect(known.run).toBe(run.folder);
    expect(datasetMarks(rows, known).map(({ line, right, text }) => [line, right, text])).toEqual([
      [0, false, '60, not 57 · 12 tokens'],
      [1, true, 'right · 12 tokens'],
    ]);
    expect(known.answers.get('a')!.source).toBe('complete-10');
    expect(datasetMarks([{ ...rows[0], answer: '58' }], known)).toEqual([]);
  });

  test('of training rows show failures', () => {
    const run = makeRun('one', file(), '2026-01-01T00:00:00Z');
    const { problemId: _, gold: __, ...said } = answer('c', '1', '2');
    run.failures([
      {
        problemId: 'c',
        question: 'q',
        answer: '1',
        samples: [said, { ...said, answer: null }],
        category: 'x',
        source: 's',
      },
    ]);
    run.close();
    const known = answersTo(join(folder, 'train.jsonl'), listRuns(join(folder, 'runs')), new RunCache())!;
    expect(datasetMarks(rows, known).map(({ text }) => text)).toEqual(['2, not 1 · 12 tokens · 0 of 2 right']);
    expect(found()).toBeUndefined();
  });

  test('are none where an evaluation is broken, and nothing is thrown', () => {
    const run = makeRun('one', file(), '2026-01-01T00:00:00Z');
    run.close();
    mkdirSync(join(run.folder, 'evaluations'));
    writeFileSync(join(run.folder, 'evaluations', 'base.jsonl'), '{"nonsense":1}\n');
    expect(found()).toBeUndefined();
  });
});
