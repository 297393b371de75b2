import fs, { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { verifyCheckpoint } from './checkpoints';
import {
  evaluationNames,
  findRun,
  latestCheckpoint,
  listRuns,
  openRun,
  readConfig,
  readEvaluation,
  readFailures,
  readMetrics,
  readRewrites,
  readRollouts,
  readSummary,
  rolloutSteps,
} from './reading';
import type { RolloutRecord } from './records';
import { createRun, openForWriting, type RunWriter } from './writer';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'distillery-runs-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true });
});

const clock = () => new Date('2026-02-05T14:03:09.123Z');
const create = (name = 'Arithmetic 1') => createRun(root, name, { seed: 1 }, clock);

const rollout: Omit<RolloutRecord, 'seq' | 'stage' | 'step'> = {
  problemId: 'p1',
  group: 0,
  sample: 1,
  prompt: 'Question: 1 + 1?',
  tokens: [5, 6],
  tokenTexts: ['2', '<end>'],
  logProbs: [Math.fround(-0.1), Number.NEGATIVE_INFINITY],
  reward: null,
  parts: { correctness: 1, validity: null },
  advantage: 0,
  finished: true,
  answer: '2',
  correct: true,
};

/** One update as training records it. */
function update(run: RunWriter, step: number): void {
  run.rollouts('complete', step, [rollout, { ...rollout, sample: 2 }]);
  run.metrics({ stage: 'complete', step, loss: step / 3, lr: 1e-3, kl: Number.NaN, parts: { correctness: 0.5 } });
}

const save = (run: RunWriter, step: number, keep?: boolean) =>
  run.checkpoint({ stage: 'complete', step, state: { cursor: step }, keep }, (folder) => {
    writeFileSync(join(folder, 'model.safetensors'), `weights ${step}`);
  });

/** Every file below a folder but locks and run.json, with its content. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/lock\/|run\.json$/.test(path));
  return Object.fromEntries(paths.sort().map((path) => [path.slice(folder.length), readFileSync(path, 'utf8')]));
}

describe('a new run', () => {
  it('has its own folder, named by time and name, with its config', () => {
    const runs = [create(), create(), create('../..')];
    expect(runs.map((run) => run.folder.slice(root.length + 1))).toEqual([
      '20260205-140309-arithmetic-1',
      '20260205-140309-arithmetic-1-2',
      '20260205-140309-run',
    ]);
    const run = openRun(runs[1].folder);
    expect(run.record).toMatchObject({
      format: 1,
      id: '20260205-140309-arithmetic-1-2',
      state: 'created',
      checkpoints: [],
    });
    expect(readConfig(run.folder)).toEqual({ seed: 1 });
    expect(readMetrics(run.folder)).toEqual([]);
    expect(latestCheckpoint(run)).toBeNull();
  });

  it('reports that the disk does not allow it to start', () => {
    vi.spyOn(fs, 'mkdirSync').mockImplementation(() => {
      throw Object.assign(new Error('EROFS'), { code: 'EROFS' });
    });
    expect(() => create()).toThrow(
      expect.objectContaining({
        code: 'disk',
        message: expect.stringMatching(/no run was begun/),
        remedy: expect.any(String),
      }),
    );
  });
});

describe('records', () => {
  it('are numbered over all files and come back as they were', () => {
    const run = create();
    update(run, 1);
    update(run, 2);
    const answer = { text: '2', answer: '2', correct: true, finished: true, tokens: 1 };
    run.failures([
      { problemId: 'p2', question: 'q', answer: '3', samples: [answer], category: 'no-answer', source: 'complete-2' },
    ]);
    const provenance = { stage: 'rewrite' as const, step: 1, group: 0, sample: 0 };
    run.rewrites([
      { problemId: 'p2', question: 'q', answer: '3', text: 't', tokens: 4, reward: 1, accepted: true, provenance },
    ]);
    run.evaluation('complete-2', [{ problemId: 'p1', gold: '2', ...answer }]);
    run.summary({
      stage: 'base',
      accuracy: 0.5,
      accuracyInterval: [0.4, 0.6],
      meanTokens: 80.5,
      n: 100,
      wallSeconds: 0,
    });
    run.summary({
      stage: 'base',
      accuracy: 0.6,
      accuracyInterval: [0.5, 0.7],
      meanTokens: 80.5,
      n: 100,
      wallSeconds: 0,
    });

    const { folder } = run;
    expect(readMetrics(folder).map(({ seq, step, kl, time }) => [seq, step, kl, time])).toEqual([
      [3, 1, Number.NaN, clock().toISOString()],
      [6, 2, Number.NaN, clock().toISOString()],
    ]);
    expect(rolloutSteps(folder)).toEqual([
      { stage: 'complete', step: 1 },
      { stage: 'complete', step: 2 },
    ]);
    const [first, second] = readRollouts(folder, 'complete', 2);
    expect(first).toEqual({
      seq: 4,
      stage: 'complete',
      step: 2,
      ...rollout,
      logProbs: [-0.100000001, Number.NEGATIVE_INFINITY],
    });
    expect(Math.fround(first.logProbs![0])).toBe(rollout.logProbs![0]);
    expect(second).toMatchObject({ seq: 5, sample: 2 });
    expect(readFailures(folder)).toMatchObject([{ seq: 7, category: 'no-answer' }]);
    expect(readRewrites(folder)).toMatchObject([{ seq: 8, provenance }]);
    expect(evaluationNames(folder)).toEqual(['complete-2']);
    expect(readEvaluation(folder, 'complete-2')).toMatchObject([{ seq: 9, gold: '2' }]);
    expect(readSummary(folder)).toMatchObject([{ stage: 'base', accuracy: 0.6, accuracyInterval: [0.5, 0.7] }]);
    expect(() => run.evaluation('../../x', [])).toThrow(/cannot be the name/);
  });
});

describe('a checkpoint', () => {
  it('contains its files, its state and checksums', async () => {
    const run = create();
    update(run, 1);
    await save(run, 1);
    const found = latestCheckpoint(openRun(run.folder))!;
    expect(found.entry).toEqual({ name: 'complete-1', stage: 'complete', step: 1, seq: 3 });
    expect(found.state).toMatchObject({
      state: { cursor: 1 },
      seq: 3,
      files: { 'model.safetensors': expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(readFileSync(join(found.folder, 'model.safetensors'), 'utf8')).toBe('weights 1');
    expect(openRun(run.folder).record).toMatchObject({ stage: 'complete', step: 1 });
  });

  it('replaces older ones, except two and those to keep', async () => {
    const run = create();
    for (const step of [1, 2, 3, 4]) await save(run, step, step === 1);
    expect(run.record.checkpoints.map((entry) => entry.name)).toEqual(['complete-1', 'complete-3', 'complete-4']);
    expect(readdirSync(join(run.folder, 'checkpoints')).sort()).toEqual(['complete-1', 'complete-3', 'complete-4']);
  });

  it('that is damaged is skipped for the one before, with the reason', async () => {
    const run = create();
    await save(run, 1);
    await save(run, 2);
    const file = join(run.folder, 'checkpoints', 'complete-2', 'model.safetensors');
    writeFileSync(file, 'weights ?');
    const found = latestCheckpoint(openRun(run.folder))!;
    expect(found.entry.step).toBe(1);
    expect(found.skipped).toMatchObject([
      { name: 'complete-2', problem: { message: expect.stringMatching(/model.safetensors is damaged/) } },
    ]);
    rmSync(file);
    expect(latestCheckpoint(openRun(run.folder))!.skipped[0].problem.message).toMatch(/missing/);
  });

  it('whose writing fails leaves no trace, and the earlier ones', async () => {
    const run = create();
    await save(run, 1);
    const before = contents(run.folder);
    const fail = (code: string) =>
      run.checkpoint({ stage: 'complete', step: 2, state: {} }, (folder) => {
        writeFileSync(join(folder, 'model.safetensors'), 'half');
        throw Object.assign(new Error(code), { code });
      });
    await expect(fail('ENOSPC')).rejects.toMatchObject({
      code: 'disk',
      message: expect.stringMatching(/earlier checkpoints are kept/),
    });
    await expect(fail('EPIPE')).rejects.toMatchObject({ code: 'EPIPE' });
    await expect(run.checkpoint({ stage: 'complete', step: 2, state: { x: Number.NaN } }, () => {})).rejects.toThrow(
      /cannot hold NaN/,
    );
    expect(contents(run.folder)).toEqual(before);
    await save(run, 2);
    expect(latestCheckpoint(openRun(run.folder))!.entry.step).toBe(2);
  });
});

describe('rolling back', () => {
  it('restores the files to their state at the checkpoint', async () => {
    const run = create();
    update(run, 1);
    run.evaluation('base-0', []);
    run.summary({ stage: 'base', accuracy: 1, accuracyInterval: [1, 1], meanTokens: 1, n: 1, wallSeconds: 1 });
    await save(run, 1);
    const before = contents(run.folder);
    update(run, 2);
    run.summary({ stage: 'sft', accuracy: 1, accuracyInterval: [1, 1], meanTokens: 1, n: 1, wallSeconds: 1 });
    await save(run, 2);
    update(run, 3);
    const after = contents(run.folder);
    run.close({ state: 'stopped' });
    writeFileSync(join(run.folder, 'metrics.jsonl'), '{"torn', { flag: 'a' });

    const again = openForWriting(run.folder, clock);
    again.rollBack(again.record.checkpoints[0]);
    expect(contents(run.folder)).toEqual(before);
    update(again, 2);
    again.summary({ stage: 'sft', accuracy: 1, accuracyInterval: [1, 1], meanTokens: 1, n: 1, wallSeconds: 1 });
    await save(again, 2);
    update(again, 3);
    expect(contents(run.folder)).toEqual(after);
    again.rollBack(null);
    expect(Object.keys(contents(run.folder))).toEqual(['/config.json', '/summary.json']);
    expect(() => again.rollBack({ name: 'complete-9', stage: 'complete', step: 9, seq: 1 })).toThrow(
      /not a checkpoint/,
    );
  });
});

describe('opening to write', () => {
  it('removes checkpoints that a killed process was writing or deleting, by their exact names, and numbers on', () => {
    const run = create();
    update(run, 1);
    run.update({ pending: ['complete-7'] });
    run.close();
    const gone = ['.unfinished-complete-3', 'complete-7'];
    const names = [...gone, '.unfinished-mine', 'complete-7.bak', 'complete-8', 'mine', '.unfinished-complete-3.bak'];
    for (const name of names) fs.mkdirSync(join(run.folder, 'checkpoints', name), { recursive: true });
    const again = openForWriting(run.folder, clock);
    expect(readdirSync(join(run.folder, 'checkpoints')).sort()).toEqual(names.slice(2).sort());
    expect(again.metrics({ stage: 'complete', step: 2, loss: 0 }).seq).toBe(4);
  });

  it('keeps checkpoints that run.json does not name, those of an older copy of it too', async () => {
    const run = create();
    await save(run, 1);
    const older = readFileSync(join(run.folder, 'run.json'));
    await save(run, 2);
    run.close();
    writeFileSync(join(run.folder, 'run.json'), older);
    const again = openForWriting(run.folder, clock);
    const whole = () => readdirSync(join(run.folder, 'checkpoints')).sort();
    expect(whole()).toEqual(['complete-1', 'complete-2']);
    await save(again, 2);
    expect(whole()).toEqual(['complete-1', 'complete-2', 'complete-2.other']);
    verifyCheckpoint(join(run.folder, 'checkpoints', 'complete-2.other'));
  });

  it('is refused while another writes', () => {
    const run = create();
    expect(() => openForWriting(run.folder)).toThrow(expect.objectContaining({ code: 'locked' }));
    run.close({ state: 'finished' });
    const again = openForWriting(run.folder);
    expect(again.record.state).toBe('finished');
    again.close();
  });
});

describe('listing', () => {
  it('is newest first, and shows a broken run with its reason', () => {
    const [first, second, third] = ['a', 'b', 'c'].map(create);
    second.update({ state: 'running' });
    third.update({ state: 'running' });
    third.close();
    writeFileSync(join(first.folder, 'run.json'), '{"format": 1');
    fs.mkdirSync(join(root, 'empty'));
    writeFileSync(join(root, 'file'), '');
    const listed = listRuns(root).map((entry) => [
      entry.id.slice(-1),
      'run' in entry ? entry.run.interrupted : entry.problem.message,
    ]);
    expect(listed).toEqual([
      ['y', 'not a run: it has no run.json'],
      ['c', true],
      ['b', false],
      ['a', expect.stringMatching(/broken JSON/)],
    ]);
    expect(listRuns(join(root, 'nowhere'))).toEqual([]);
  });

  it('refuses a run of a newer version in words', () => {
    const run = create();
    writeFileSync(join(run.folder, 'run.json'), '{"format": 99, "whatever": true}');
    expect(() => openRun(run.folder)).toThrow(
      expect.objectContaining({ code: 'version', remedy: 'Update Distillery.' }),
    );
  });

  it('finds a run by path, id, part of an id, or as the latest', () => {
    const [first, second] = ['alpha', 'beta'].map(create);
    const find = (name: string) => findRun(name, () => listRuns(root), 'Start one.');
    expect(find(first.folder).folder).toBe(first.folder);
    expect(find('alp').folder).toBe(first.folder);
    expect(find(second.record.id).folder).toBe(second.folder);
    expect(find('latest').folder).toBe(second.folder);
    expect(() => find('2026')).toThrow(/more than one/);
    expect(() => find('gamma')).toThrow(expect.objectContaining({ remedy: expect.stringContaining('beta') }));
    expect(existsSync(join(first.folder, 'lock'))).toBe(true);
  });
});
