import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stageRow, writeRun, writeSummary } from '../testing/run-folders';
import { parseExperiment } from '../workspace/experiment-file';
import { RunCache } from '../workspace/run-cache';
import { runOfFile } from '../workspace/run-paths';
import { chosen, named } from './arguments';
import { startingPoints } from './starting-points';

describe('arguments of commands', () => {
  it('are nodes, URIs, plain objects or strings', () => {
    expect(named('/r')).toEqual({ run: '/r' });
    expect(named('/c', 'checkpoint')).toEqual({ checkpoint: '/c' });
    expect(named({ fsPath: '/e.distillery.json', scheme: 'file' })).toEqual({ experiment: '/e.distillery.json' });
    expect(named({ kind: 'checkpoint', id: 'x', run: '/r', checkpoint: '/c', stage: 'complete' })).toEqual({
      run: '/r',
      checkpoint: '/c',
      stage: 'complete',
    });
    expect([named(undefined), named(null), named(7), named({ run: 7 })]).toEqual([{}, {}, {}, {}]);
  });

  it('are all that is selected only when called on one of them', () => {
    const [a, b] = [{}, {}];
    expect(chosen(a, [b, a])).toEqual([b, a]);
    expect(chosen(a, [b])).toEqual([a]);
    expect(chosen(a, undefined)).toEqual([a]);
  });
});

describe('an experiment file', () => {
  const file = join('/w', 'gsm.distillery.json');
  it('reads its name, student, stages and whether it has a quick budget', () => {
    const text = `{ // comment
      "name": "gsm", "student": { "path": "../student" }, "stages": { "rewrite": false }, "quick": {}, }`;
    expect(parseExperiment(file, text)).toEqual({
      file,
      name: 'gsm',
      description: undefined,
      runs: join('/w', '.distillery', 'runs'),
      student: join('/student'),
      stages: ['reconstruct', 'complete'],
      quick: true,
    });
  });

  it('that cannot be read is named by its file', () => {
    for (const text of ['', '[]', '{"name": ', '{"name": 7, "student": "x", "stages": []}'])
      expect(parseExperiment(file, text)).toMatchObject({ name: 'gsm', student: undefined, quick: false });
  });
});

describe('paths below .distillery/runs', () => {
  it.each([
    ['/w/.distillery/runs', '/w/.distillery/runs', undefined],
    ['/w/.distillery/runs/1-a', '/w/.distillery/runs', '/w/.distillery/runs/1-a'],
    ['/w/.distillery/runs/1-a/evaluations/x.jsonl', '/w/.distillery/runs', '/w/.distillery/runs/1-a'],
  ])('%s', (file, runs, run) => expect(runOfFile(file)).toEqual(run ? { runs, run } : { runs }));

  it('are not those that only look alike', () => {
    for (const file of ['/w/.distillery', '/w/.distillery/runs-old/x', '/w/distillery/runs/x'])
      expect(runOfFile(file)).toBeUndefined();
  });
});

describe('starting points', () => {
  let runs: string;
  beforeEach(() => {
    runs = mkdtempSync(join(tmpdir(), 'distillery-start-'));
  });
  afterEach(() => rmSync(runs, { recursive: true }));

  it('begin with what the stage before chose in the newest run, then the student, then all else', () => {
    for (const id of ['1', '2']) {
      const names = ['reconstruct-5', 'reconstruct-9', 'complete-4'];
      const checkpoints = names.map((name) => {
        const [stage, step] = name.split('-') as ['complete', string];
        return { name, stage, step: Number(step), seq: 1 };
      });
      const run = writeRun(runs, id, { checkpoints: [...checkpoints, { ...checkpoints[0], name: 'complete-99' }] });
      for (const name of names) mkdirSync(join(run, 'checkpoints', name), { recursive: true });
      writeSummary(run, [
        stageRow('reconstruct', { checkpoint: 'reconstruct-9' }),
        stageRow('complete', { checkpoint: 'complete-4' }),
      ]);
    }
    writeRun(runs, '3', { name: 'another experiment' });
    const cache = new RunCache();
    const points = (stage: 'complete' | 'rewrite') =>
      startingPoints(stage, { runs, name: 'sums' }, cache.list([runs]), cache).map(({ run, name }) =>
        run ? `${run.at(-1)} ${name}` : name,
      );
    expect(points('complete')).toEqual([
      ...['2 reconstruct-9', '1 reconstruct-9', 'Base student'],
      ...['2 complete-4', '1 complete-4', '2 reconstruct-5', '1 reconstruct-5'],
    ]);
    expect(points('rewrite').slice(0, 3)).toEqual(['2 complete-4', '1 complete-4', 'Base student']);
    expect(startingPoints('complete', { runs, name: 'none' }, cache.list([runs]), cache)).toHaveLength(1);
  });
});
