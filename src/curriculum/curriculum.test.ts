import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { memory } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Engine } from '../engine/port';
import { yieldToEventLoop } from '../event-loop';
import { testedBackend } from '../kernels/testing/backends';
import { loadStudent } from '../model/hf-folder';
import { disposeModel } from '../model/transformer';
import { sample } from '../rollout/sample';
import { openRun, readFailures, readMetrics, readRollouts, readSummary, readValidation } from '../runs/reading';
import { Cancelled, type CurriculumEvent, Stopped } from './context';
import { resumeRun, type SessionOptions, startRun } from './session';
import { stopAfter, tinyExperiment, tinyWorkspace } from './testing/tiny';

vi.mock('../event-loop', { spy: true });
vi.mock('../rollout/sample', { spy: true });

let folder = '';
let whole = '';

beforeAll(async () => {
  folder = await tinyWorkspace();
  whole = (await start()).folder;
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }), 120_000);

const quiet = { notify: () => {}, signal: new AbortController().signal };

function start(options: Partial<SessionOptions> = {}) {
  return startRun(tinyExperiment(folder), join(folder, 'runs'), { ...quiet, ...options });
}

/** metrics.jsonl without what may differ between equal runs: times. */
function metrics(run: string) {
  return readMetrics(run).map(({ time: _, tokensPerSecond: __, ...rest }) => rest);
}

/** Its validation checks without their times. */
const checksOf = (run: string) => readValidation(run).map(({ time: _, ...check }) => check);

/** Starts a run, stops it after `updates` updates, and resumes it until it is done. */
async function stopAndResume(updates: number): Promise<string> {
  const run = await stopAfter(updates, start);
  expect(openRun(run).record.state).toBe('stopped');
  await resumeRun(run, quiet);
  return run;
}

/** A run of Stage 2 alone: its second update, by default. */
async function completeAlone(changes: object, step = 2) {
  const { stages, ...experiment } = tinyExperiment(folder, { baselines: { sft: false } });
  const complete = stages.complete && { ...stages.complete, ...changes };
  const { folder: run } = await startRun(
    { ...experiment, stages: { reconstruct: false, complete, rewrite: false } },
    join(folder, 'runs'),
    quiet,
  );
  return { rollouts: readRollouts(run, 'complete', step), update: readMetrics(run)[step - 1] };
}

describe('a run', () => {
  it('records everything in its folder', () => {
    expect(openRun(whole).record).toMatchObject({ state: 'finished', name: 'tiny' });
    const rows = readSummary(whole);
    expect(rows.map(({ stage }) => stage)).toEqual(['base', 'sft', 'reconstruct', 'complete', 'rewrite']);
    for (const row of rows) {
      expect(row.n).toBe(5);
      expect(row.accuracyInterval[0]).toBeLessThanOrEqual(row.accuracy);
      expect(row.accuracyInterval[1]).toBeGreaterThanOrEqual(row.accuracy);
    }
    const lines = metrics(whole);
    expect(lines.map(({ stage, phase, step }) => `${stage}/${phase}/${step}`)).toEqual([
      ...[1, 2, 3].map((step) => `sft/sft/${step}`),
      ...[1, 2, 3].map((step) => `reconstruct/reconstruct/${step}`),
      ...[1, 2, 3].map((step) => `complete/complete/${step}`),
      ...[1, 2, 3].map((step) => `rewrite/rewrite/${step}`),
      ...[5, 6, 7].map((step) => `rewrite/internalise/${step}`),
    ]);
    expect(readValidation(whole).map(({ stage, phase, step }) => `${stage}/${phase}/${step}`)).toEqual([
      ...[0, 2, 3].map((step) => `sft/sft/${step}`),
      ...[0, 2, 3].map((step) => `reconstruct/reconstruct/${step}`),
      ...[0, 2, 3].map((step) => `complete/complete/${step}`),
      'rewrite/rewrite/3',
      ...[4, 6, 7].map((step) => `rewrite/internalise/${step}`),
    ]);
    const measured = (stage: string) => {
      const checks = readValidation(whole).filter((check) => check.stage === stage);
      return Object.fromEntries(['accuracy', 'loss'].map((key) => [key, checks.every((check) => key in check)]));
    };
    expect(measured('sft')).toEqual({ accuracy: true, loss: true });
    expect(measured('reconstruct')).toEqual({ accuracy: false, loss: true });
    expect(measured('complete')).toEqual({ accuracy: true, loss: false });
    const [before, , after] = readValidation(whole).filter(({ stage }) => stage === 'sft');
    expect(after.loss).toBeLessThan(before.loss!);
    const rollouts = readRollouts(whole, 'complete', 2);
    expect(rollouts).toHaveLength(6);
    for (const rollout of rollouts) {
      for (const list of [rollout.logProbs, rollout.refLogProbs, rollout.entropy])
        expect(list).toHaveLength(rollout.tokens.length);
      expect(rollout.prompt).toMatch(/^Question: /);
      expect(rollout.tokenTexts.join('')).toContain(rollout.tokenTexts[0]);
      expect(Object.keys(rollout.parts)).toEqual(['correctness', 'repetition']);
    }
    const prompts = [1, 2, 3].flatMap((step) => readRollouts(whole, 'complete', step).map(({ prompt }) => prompt));
    const withSteps = prompts.filter((prompt) => prompt.includes('Steps, some missing:'));
    expect(withSteps.length).toBeGreaterThan(0);
    expect(withSteps.some((prompt) => prompt.includes('[MASK]'))).toBe(true);
    expect(readFailures(whole)).toHaveLength(10); // an untrained student fails at everything
    expect(readFailures(whole)[0]).toMatchObject({
      samples: expect.any(Array),
      teacherChain: expect.stringContaining('Step 1'),
    });
    const config = JSON.parse(readFileSync(join(whole, 'config.json'), 'utf8'));
    expect(config.environment).toMatchObject({ node: process.version, backend: { name: testedBackend } });
    expect(config.experiment.stages.complete.clipHigh).toBe(0.28);
  });

  it("records the reference's log-probs and the entropy of every token if the settings ask for them", async () => {
    const on = await completeAlone({});
    const tokens = on.rollouts.flatMap(({ entropy }) => entropy!);
    expect(tokens.reduce((a, b) => a + b) / tokens.length).toBeCloseTo(on.update.entropy!, 4);
    // The first update's reference is the student that sampled; this is the second.
    const change = on.rollouts.flatMap(({ logProbs, refLogProbs }) => logProbs!.map((l, i) => refLogProbs![i] - l));
    expect(change.reduce((sum, x) => sum + Math.exp(x) - x - 1, 0) / change.length).toBeCloseTo(on.update.kl!, 6);
    expect(on.update.kl).toBeGreaterThan(0);

    const without = await completeAlone({ beta: 0 });
    expect(without.update).not.toHaveProperty('kl');
    for (const rollout of without.rollouts) {
      expect(rollout.entropy).toHaveLength(rollout.tokens.length);
      expect(rollout).not.toHaveProperty('refLogProbs');
    }

    const off = await completeAlone({ tokenMeasures: false });
    expect(off.update.entropy).toBe(on.update.entropy);
    expect(off.rollouts.map(({ tokens }) => tokens)).toEqual(on.rollouts.map(({ tokens }) => tokens));
    for (const rollout of off.rollouts)
      for (const name of ['entropy', 'refLogProbs']) expect(rollout).not.toHaveProperty(name);
  });

  it('learns nothing from groups that are flat by rewards or by answers, and samples for them again', async () => {
    const { complete } = tinyExperiment(folder).stages;
    const [correctness, repetition] = complete ? complete.reward.components : [];
    const reward = { components: [correctness, { ...repetition, options: { n: 1, penalty: 1 } }] };
    const settings = { updates: 1, beta: 0, reward, replay: { own: 0, teacher: 0, weight: 0 } };
    // A student that is never right, and a reward that looks at repetition, too.
    const sampled = async (by: 'reward' | 'correct') => {
      const before = vi.mocked(sample).mock.calls.length;
      const found = await completeAlone({ ...settings, dynamicSampling: { enabled: true, by, maxRounds: 3 } }, 1);
      const streams = vi
        .mocked(sample)
        .mock.calls.slice(before)
        .map(([, , { stream }]) => stream);
      return { ...found, rounds: streams.filter((stream) => stream?.[0] === 'complete/complete').length };
    };
    const shaped = await sampled('reward');
    expect(shaped.update).toMatchObject({ allWrong: 1 });
    expect(shaped.update.flatGroups).toBeLessThan(1);
    expect(shaped.rollouts.some(({ advantage }) => advantage !== 0)).toBe(true);
    expect(shaped.update.gradNorm).toBeGreaterThan(0);

    const judged = await sampled('correct');
    expect(judged.rounds).toBe(3);
    const once = await completeAlone(
      { ...settings, dynamicSampling: { enabled: false, by: 'correct', maxRounds: 3 } },
      1,
    );
    expect(once.update).toMatchObject({ flatGroups: 1, gradNorm: 0 });
    expect(judged.update).toMatchObject({ allWrong: 1, flatGroups: 1, gradNorm: 0 });
    expect(judged.rollouts).toHaveLength(6);
    expect(judged.rollouts.every(({ advantage }) => advantage === 0)).toBe(true);
    expect(judged.update.entropy).toBeGreaterThan(0);
  });

  it('never has more completions in flight than an update has, where teacher chains are shown', () => {
    const calls = vi.mocked(sample).mock.calls.map(([, prompts, { stream, maxRows, maxNewTokens }]) => {
      const longest = Math.max(...prompts.map(({ length }) => length));
      return { stream: stream?.join(), longest, maxRows, maxNewTokens };
    });
    const collect = calls.findIndex(({ stream }) => stream === 'rewrite/collect');
    const [collecting, shown, plain] = calls.slice(collect);
    expect(collecting.maxRows).toBe(6);
    expect(shown).toMatchObject({ maxRows: 6, maxNewTokens: 12, longest: collecting.longest });
    expect(plain.longest).toBeLessThan(shown.longest);
    expect(plain).toMatchObject({ maxRows: 64, maxNewTokens: 16 });
  });

  it('keeps checkpoints that load as students', () => {
    const { checkpoints } = openRun(whole).record;
    expect(checkpoints.length).toBeGreaterThanOrEqual(4);
    for (const { name } of checkpoints) disposeModel(loadStudent(join(whole, 'checkpoints', name)).model);
  });

  it('is decided by its seed, and leaks no tensor', async () => {
    const before = memory().numTensors;
    expect(metrics((await start()).folder)).toEqual(metrics(whole));
    expect(memory().numTensors).toBe(before);
  });

  it.each([2, 8, 14])('gives the same result when it is stopped after %i updates and resumed', async (updates) => {
    const run = await stopAndResume(updates);
    expect(metrics(run)).toEqual(metrics(whole));
    const summary = (of: string) =>
      readSummary(of).map(({ stage, accuracy, meanTokens }) => ({ stage, accuracy, meanTokens }));
    expect(summary(run)).toEqual(summary(whole));
    expect(readRollouts(run, 'rewrite', 3)).toEqual(readRollouts(whole, 'rewrite', 3));
    expect(checksOf(run)).toEqual(checksOf(whole));
    const last = (of: string) => readFileSync(join(of, 'checkpoints', 'rewrite-7', 'model.safetensors'));
    expect(last(run).equals(last(whole))).toBe(true);
  });

  it('resumes with its original AdamW settings, even if its config lacks them', async () => {
    const stages = { ...tinyExperiment(folder).stages, reconstruct: false as const, rewrite: false as const };
    const began = async (beta2: number) => {
      const stop = new AbortController();
      const options = {
        ...quiet,
        signal: stop.signal,
        notify: ({ type }: CurriculumEvent) => type === 'update' && stop.abort(),
      };
      let run = '';
      const experiment = { ...tinyExperiment(folder, { adam: { beta2 }, baselines: { sft: false } }), stages };
      await expect(
        startRun(experiment, join(folder, 'runs'), { ...options, onStart: (writer) => (run = writer.folder) }),
      ).rejects.toThrow(Stopped);
      return run;
    };
    const [former, usual] = [await began(0.95), await began(0.999)];
    const file = join(former, 'config.json');
    const { adam, ...experiment } = JSON.parse(readFileSync(file, 'utf8')).experiment;
    expect(adam).toEqual({ beta1: 0.9, beta2: 0.95, epsilon: 1e-8 });
    const { environment } = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ experiment, environment }));
    const again = await began(0.95);
    for (const run of [former, again, usual]) await resumeRun(run, quiet);
    expect(metrics(former)).toEqual(metrics(again));
    expect(metrics(former)).not.toEqual(metrics(usual));
  });

  it('gives the same result when it is stopped during a validation', async () => {
    const stop = new AbortController();
    let run = '';
    const sampled = vi.mocked(sample);
    const real = sampled.getMockImplementation();
    let checks = 0;
    const notify = (event: CurriculumEvent) => {
      if (event.type !== 'update' || event.stage !== 'complete' || event.update !== event.updates) return;
      sampled.mockImplementationOnce((model, prompts, options) => {
        checks++;
        stop.abort();
        return real!(model, prompts, options);
      });
    };
    const onStart = (writer: { folder: string }) => (run = writer.folder);
    await expect(start({ notify, signal: stop.signal, onStart })).rejects.toThrow(Stopped);
    expect(checks).toBe(1);
    const last = openRun(run).record.checkpoints.at(-1)!;
    expect(last).toMatchObject({ stage: 'complete' });
    expect(readValidation(run).at(-1)!.step).toBeLessThan(last.step);
    await resumeRun(run, quiet);
    expect(metrics(run)).toEqual(metrics(whole));
    expect(checksOf(run)).toEqual(checksOf(whole));
  });

  it.each([1, 4, 9, 14, 22])(
    'gives the same result when it is stopped during an update, at yield %i',
    async (yields) => {
      const stop = new AbortController();
      const yielding = vi.mocked(yieldToEventLoop);
      const { yieldToEventLoop: real } = await vi.importActual<typeof import('../event-loop')>('../event-loop');
      let run = '';
      let seen = 0;
      yielding.mockImplementation((signal) => {
        if (signal && ++seen === yields) stop.abort();
        return real(signal);
      });
      const onStart = (writer: { folder: string }) => (run = writer.folder);
      await expect(start({ signal: stop.signal, onStart })).rejects.toThrow(Stopped);
      yielding.mockReset();
      const done = metrics(run).length;
      expect(seen).toBe(yields);
      await resumeRun(run, quiet);
      expect(metrics(run).slice(0, done)).toEqual(metrics(whole).slice(0, done));
      expect(metrics(run)).toEqual(metrics(whole));
      expect(checksOf(run)).toEqual(checksOf(whole));
    },
  );

  it('gives the same result when it pauses after each checkpoint', async () => {
    let rests = 0;
    let folder = '';
    const rest = async (checkpoint: () => Promise<void>) => {
      if (++rests % 3 !== 0) return;
      await checkpoint();
      const { checkpoints } = openRun(folder).record;
      const done = metrics(folder).at(-1);
      if (done) expect(checkpoints.at(-1)).toMatchObject({ stage: done.stage, step: done.step });
    };
    const { rows } = await start({ betweenUpdates: rest, onStart: (run) => (folder = run.folder) });
    expect(rests).toBeGreaterThan(15);
    expect(rows).toHaveLength(5);
    expect(metrics(folder)).toEqual(metrics(whole));
  });

  it('ends without a checkpoint when it is cancelled', async () => {
    const stop = new AbortController();
    let run = '';
    const notify = (event: CurriculumEvent) => {
      if (event.type === 'update' && event.stage === 'complete') stop.abort(new Cancelled());
    };
    const onStart = (writer: { folder: string }) => (run = writer.folder);
    await expect(start({ notify, signal: stop.signal, onStart })).rejects.toThrow(Cancelled);
    expect(openRun(run).record).toMatchObject({ state: 'stopped', reason: 'cancelled' });
    expect(openRun(run).record.checkpoints.at(-1)).toMatchObject({ name: 'complete-0' });
    await resumeRun(run, quiet);
    expect(metrics(run)).toEqual(metrics(whole));
  });

  it('resumes with the backend that "auto" chose, and reports if the choice has changed', async () => {
    const resume = async (began: object) => {
      const stop = new AbortController();
      let run = '';
      const stopAtOnce = { signal: stop.signal, onStart: (writer: { folder: string }) => (run = writer.folder) };
      const notify = ({ type }: CurriculumEvent) => type === 'update' && stop.abort();
      await expect(start({ ...stopAtOnce, notify })).rejects.toThrow(Stopped);
      const file = join(run, 'config.json');
      const config = JSON.parse(readFileSync(file, 'utf8'));
      Object.assign(config.environment.backend, began);
      writeFileSync(file, JSON.stringify({ ...config, experiment: { ...config.experiment, backend: 'auto' } }));
      const events: CurriculumEvent[] = [];
      let used = '';
      const onStart = (_: unknown, { info }: Engine) => (used = info.name);
      await resumeRun(run, { ...quiet, onStart, notify: (event) => events.push(event) });
      const warnings = events.flatMap((event) =>
        event.type === 'note' && event.level === 'warning' && !/^\d+ of \d+ answers/.test(event.text) ? event.text : [],
      );
      return { used, warnings };
    };
    expect(await resume({})).toEqual({ used: testedBackend, warnings: [] });
    const { warnings } = await resume({ isa: 'neon', description: 'native kernels, neon' });
    expect(warnings).toEqual([expect.stringMatching(/^the run began on native kernels, neon and continues on /)]);
  });

  it('passes the student through a stage without updates unchanged', async () => {
    const { stages } = tinyExperiment(folder);
    const reconstruct = stages.reconstruct && { ...stages.reconstruct, updates: 0 };
    const experiment = { ...tinyExperiment(folder), stages: { ...stages, reconstruct, rewrite: false as const } };
    const { folder: run, rows } = await startRun(experiment, join(folder, 'runs'), quiet);
    const [base, , untouched] = rows;
    expect(untouched).toMatchObject({ stage: 'reconstruct', accuracy: base.accuracy, meanTokens: base.meanTokens });
    expect(openRun(run).record.checkpoints.map(({ name }) => name)).toContain(untouched.checkpoint);
  });
});
