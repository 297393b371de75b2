/** Files of a run that were changed or damaged: their content is checked before it is used. */
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CurriculumEvent } from '../../src/curriculum/context';
import { resumeRun, startRun } from '../../src/curriculum/session';
import { tinyExperiment, tinyWorkspace } from '../../src/curriculum/testing/tiny';
import { appendDecisions } from '../../src/runs/decisions';
import { acquireLock, lockHolder } from '../../src/runs/lock';
import { openRun, readEvaluation, readMetrics, readSummary } from '../../src/runs/reading';
import type { StageRow } from '../../src/runs/records';
import type { RunWriter } from '../../src/runs/writer';

let folder = '';
/** Runs to copy: stopped after the last update of Stage 2, before its validation, and of Stage 3. */
let stopped: Record<'complete' | 'rewrite', string>;
let run = '';

async function stopIn(stage: 'complete' | 'rewrite'): Promise<string> {
  const stop = new AbortController();
  let begun = '';
  const notify = (event: CurriculumEvent) => {
    if (event.type === 'update' && event.stage === stage && event.update === 3) stop.abort();
  };
  const started = startRun(tinyExperiment(folder), join(folder, 'runs'), {
    notify,
    onStart: (writer: RunWriter) => {
      begun = writer.folder;
    },
    signal: stop.signal,
  });
  await expect(started).rejects.toThrow(/stopped|aborted/);
  return begun;
}

beforeAll(async () => {
  folder = await tinyWorkspace();
  stopped = { complete: await stopIn('complete'), rewrite: await stopIn('rewrite') };
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(() => take('complete'));

function take(stage: 'complete' | 'rewrite') {
  run = join(folder, 'copy');
  rmSync(run, { recursive: true, force: true });
  cpSync(stopped[stage], run, { recursive: true });
}

type Json = Record<string, unknown>;
const edit = (file: string, change: (value: Json) => unknown) =>
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')))));
const newest = () => openRun(run).record.checkpoints.at(-1)!.name;
const stateFile = () => join(run, 'checkpoints', newest(), 'state.json');
/** Changes state.json as training wrote it, and leaves out its checksum, as earlier versions did. */
const editState = (change: Json) =>
  edit(stateFile(), ({ sha256: _, state, ...rest }) => ({ ...rest, state: { ...(state as Json), ...change } }));

const texts: string[] = [];
const resume = () => {
  texts.length = 0;
  const notify = (event: CurriculumEvent) => event.type === 'note' && texts.push(event.text);
  return resumeRun(run, { notify, signal: new AbortController().signal });
};
const trained = () => readMetrics(run).map(({ stage, phase, step }) => `${stage}/${phase}/${step}`);

describe('the state of a checkpoint', () => {
  it('has a checksum, and may have none, as earlier versions wrote it', async () => {
    const { sha256, ...rest } = JSON.parse(readFileSync(stateFile(), 'utf8'));
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    writeFileSync(stateFile(), JSON.stringify(rest));
    await resume();
    expect(texts.filter((text) => text.includes('is skipped'))).toEqual([]);
  });

  it('that was changed is skipped: the previous checkpoint is used', async () => {
    edit(stateFile(), ({ state, ...rest }) => ({ ...rest, state: { ...(state as Json), optimizerStep: 7 } }));
    const name = newest();
    await resume();
    expect(texts).toContainEqual(expect.stringContaining(`checkpoint ${name} is skipped (the file state.json`));
    expect(openRun(run).record.state).toBe('finished');
  });

  it.each<[string, Json]>([
    ['an update that is no number', { update: 'x' }],
    ['more updates than its step', { update: 1e9 }],
    ['a negative update', { update: -1 }],
    ['no phase', { phase: null }],
    ['a stage that is finished before it began', { results: { complete: 'complete-0' } }],
    ['a checkpoint of another stage as a result', { results: { reconstruct: 'sft-0' } }],
    ['a result outside of the run', { results: { reconstruct: '../../../elsewhere' } }],
    ['a selection of another shape', { selection: { best: { step: '0' }, topAccuracy: 1 } }],
    ['samples of another shape', { extra: [['a', 'b']] }],
    ['the progress of another stage', { extra: { failures: [], rewrites: null, own: [] } }],
  ])('with %s is skipped, and no stage is omitted', async (_, change) => {
    editState(change);
    const name = newest();
    await resume();
    expect(texts).toContainEqual(expect.stringContaining(`checkpoint ${name} is skipped`));
    expect(trained().filter((one) => one.startsWith('complete/'))).toHaveLength(3);
    expect(trained().filter((one) => one.startsWith('rewrite/'))).toHaveLength(6);
  });

  it('with state null is skipped', async () => {
    edit(stateFile(), ({ sha256: _, ...rest }) => ({ ...rest, state: null }));
    await resume();
    expect(openRun(run).record.state).toBe('finished');
  });

  it.each<[string, 'complete' | 'rewrite', Json]>([
    ['updates that its phase does not have', 'rewrite', { phase: 'internalise', update: 3 }],
    ['another count of updates than its step', 'complete', { update: 0 }],
    ['rows that there are not', 'complete', { extra: [[99, [1]]] }],
    ['failures that there are not', 'rewrite', { extra: { failures: [99], rewrites: null, own: [] } }],
    ['tokens that there are not', 'complete', { extra: [[0, [1e6]]] }],
  ])('with %s is refused in words', async (_, stage, change) => {
    take(stage);
    editState(change);
    await expect(resume()).rejects.toMatchObject({
      name: 'UserError',
      file: stateFile(),
      remedy: expect.stringContaining('Remove'),
    });
    rmSync(join(stateFile(), '..'), { recursive: true });
    await resume();
    expect(trained().filter((one) => one.startsWith('complete/'))).toHaveLength(3);
  });
});

const nuls = `${'\0'.repeat(4096)}\n`;

describe('records that a power cut damaged', () => {
  const resumed = async () => {
    await resume();
    expect(openRun(run).record.state).toBe('finished');
    expect(trained().filter((one) => one.startsWith('complete/'))).toHaveLength(3);
  };

  it.each(['metrics.jsonl', 'validation.jsonl', 'rollouts/complete/3.jsonl'])(
    '%s with a tail of NULs',
    async (name) => {
      appendFileSync(join(run, name), nuls.repeat(3) + nuls.slice(1));
      await resumed();
      expect(readFileSync(join(run, name), 'utf8')).not.toContain('\0');
    },
  );

  it('a line of NULs in metrics.jsonl, before the checkpoint', async () => {
    const file = join(run, 'metrics.jsonl');
    const [first, second, ...rest] = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, [first, '\0'.repeat(second.length), ...rest].join('\n'));
    await resume();
    expect(openRun(run).record.state).toBe('finished');
    const told: number[] = [];
    const steps = readMetrics(run, ({ line }) => told.push(line!)).map(({ seq }) => seq);
    expect(told).toEqual([2]);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  });
});

describe('records that are gone', () => {
  it('cost only their curves, which a note says', async () => {
    const file = join(run, 'metrics.jsonl');
    truncateSync(file, readFileSync(file).length >> 2);
    await resume();
    expect(openRun(run).record.state).toBe('finished');
    expect(texts).toContainEqual(expect.stringMatching(/metrics\.jsonl lacks updates before checkpoint complete-\d/));
  });

  it.each(['metrics.jsonl', 'rollouts/complete/2.jsonl'])('%s that is a folder is named', async (name) => {
    rmSync(join(run, name));
    mkdirSync(join(run, name));
    await expect(resume()).rejects.toMatchObject({ file: join(run, name), message: 'this is a folder, not a file' });
  });
});

describe('summary.json and decisions.jsonl', () => {
  it('that are damaged are put aside or skipped, with a note: tests are repeated, and nothing is counted twice', async () => {
    take('rewrite');
    const summary = join(run, 'summary.json');
    const before = readSummary(run);
    const answers = readEvaluation(run, 'base');
    writeFileSync(summary, '\0'.repeat(300));
    appendDecisions(run, [{ kind: 'pick', problemId: 'p', question: 'Q?', picked: true }]);
    appendFileSync(join(run, 'decisions.jsonl'), nuls);
    await resume();
    expect(openRun(run).record.state).toBe('finished');
    const figures = ({ stage, n, accuracy, meanTokens, checkpoint }: StageRow) => [
      stage,
      n,
      accuracy,
      meanTokens,
      checkpoint,
    ];
    expect(readSummary(run).slice(0, before.length).map(figures)).toEqual(before.map(figures));
    const problems = (name: string) => readEvaluation(run, name).map(({ problemId }) => problemId);
    expect(problems('base')).toEqual(answers.map(({ problemId }) => problemId));
    expect(readFileSync(`${summary}.other`, 'utf8')).toBe('\0'.repeat(300));
    expect(texts).toContainEqual(expect.stringMatching(/summary\.json cannot be read .* summary\.json\.other/));
    expect(texts).toContainEqual(expect.stringMatching(/1 decision skipped: .*decisions\.jsonl:2: broken JSON/));
  });
});

describe('a student that is damaged or gone', () => {
  it('is named, and every record of the run is kept', async () => {
    const metrics = readFileSync(join(run, 'metrics.jsonl'), 'utf8');
    appendFileSync(join(run, 'metrics.jsonl'), metrics.replace(/"seq":/g, '"seq":9'));
    const before = readFileSync(join(run, 'metrics.jsonl'), 'utf8');
    const weights = join(folder, 'student', 'model.safetensors');
    const whole = readFileSync(weights);
    truncateSync(weights, 500);
    await expect(resume()).rejects.toMatchObject({ name: 'UserError', file: weights });
    rmSync(weights);
    await expect(resume()).rejects.toMatchObject({ name: 'UserError' });
    expect(readFileSync(join(run, 'metrics.jsonl'), 'utf8')).toBe(before);
    writeFileSync(weights, whole);
    const config = join(folder, 'student', 'config.json');
    const settings = readFileSync(config, 'utf8');
    writeFileSync(config, settings.replace(/("max_position_embeddings":) *\d+/, '$1 8'));
    await expect(resume()).rejects.toThrow(/no training row fits/);
    expect(readFileSync(join(run, 'metrics.jsonl'), 'utf8')).toBe(before);
    writeFileSync(config, settings);
    await resume();
    expect(openRun(run).record.state).toBe('finished');
  });
});

describe('config.json', () => {
  it.each<[string, (config: Json) => unknown]>([
    ['null', () => null],
    ['a list', () => []],
    ['nothing', () => ({})],
    ['no stages', (config) => ({ ...config, experiment: { name: 'x' } })],
    ['no hashes of its data', (config) => ({ ...config, environment: {} })],
    [
      'a backend that there is not',
      ({ environment, ...rest }) => ({
        ...rest,
        environment: { ...(environment as Json), backend: { name: 'abacus', description: '' } },
      }),
    ],
    [
      'a learning rate that is a text',
      (config) => JSON.parse(JSON.stringify(config).replaceAll('"learningRate":0.001', '"learningRate":"x"')),
    ],
  ])('with %s is refused in words, and the run is as it was', async (_, change) => {
    const file = join(run, 'config.json');
    edit(file, change);
    const before = readFileSync(join(run, 'run.json'), 'utf8');
    await expect(resume()).rejects.toMatchObject({ name: 'UserError', file, message: expect.not.stringMatching(/^$/) });
    expect(readFileSync(join(run, 'run.json'), 'utf8')).toBe(before);
  });
});

describe('a lock', () => {
  const lockFile = (number: number) => join(run, 'lock', `${number}.json`);

  it.each([2 ** 53, 2 ** 53 - 1, 1e15 + 1])('with the number %d is named, and nothing waits for it', (number) => {
    writeFileSync(lockFile(number), '{}');
    expect(() => acquireLock(run)).toThrow(
      expect.objectContaining({ code: 'locked', file: join(run, 'lock'), remedy: expect.stringContaining('delete') }),
    );
  });

  it('that is a file is refused by its name', () => {
    rmSync(join(run, 'lock'), { recursive: true });
    writeFileSync(join(run, 'lock'), '');
    expect(lockHolder(run)).toBeUndefined();
    expect(() => acquireLock(run)).toThrow(
      expect.objectContaining({ name: 'UserError', file: join(run, 'lock'), code: 'disk' }),
    );
  });

  it.runIf(process.platform === 'linux')('of process 1 without its start time holds nothing', () => {
    mkdirSync(join(run, 'lock'), { recursive: true });
    writeFileSync(lockFile(99), JSON.stringify({ pid: 1, startTime: '', host: hostname(), token: 'x' }));
    acquireLock(run).release();
  });
});
