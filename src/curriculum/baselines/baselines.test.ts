import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../paths';
import { openRun, readEvaluation, readMetrics, readRollouts, readSummary, readValidation } from '../../runs/reading';
import { baselineNames } from '../../stages';
import { resumeRun, type SessionOptions, startRun } from '../session';
import { stopAfter, tinyExperiment, tinyWorkspace } from '../testing/tiny';

let folder = '';
let whole = '';

const quiet = { notify: () => {}, signal: new AbortController().signal };
const sampled = {
  updates: 3,
  prompts: 2,
  group: 3,
  maxNewTokens: 320,
  learningRate: 1e-4,
  replay: { own: 2, teacher: 2 },
};
const supervised = { updates: 3, batch: 4, learningRate: 1e-3 };

function start(options: Partial<SessionOptions> = {}) {
  const experiment = tinyExperiment(folder, {
    // A student that is right now and then, so that there is something to keep of its samples.
    student: { path: join(packageRoot(), 'examples/arithmetic/student') },
    stages: { reconstruct: false, complete: sampled, rewrite: false },
    baselines: { sft: supervised, sftConcise: {}, rft: { updates: 2 }, grpo: { learningRate: 2e-4 } },
    evaluation: { every: 2, maxNewTokens: 320 },
  });
  return startRun(experiment, join(folder, 'runs'), { ...quiet, ...options });
}

beforeAll(async () => {
  folder = await tinyWorkspace();
  whole = (await start()).folder;
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What has to be the same in equal runs: everything but times. */
const story = (run: string) => ({
  metrics: readMetrics(run).map(({ time: _, tokensPerSecond: __, ...rest }) => rest),
  checks: readValidation(run).map(({ time: _, ...rest }) => rest),
  rows: readSummary(run).map(({ stage, accuracy, meanTokens, checkpoint }) => [
    stage,
    accuracy,
    meanTokens,
    checkpoint,
  ]),
});

describe('baselines', () => {
  it('each train from the base student and are tested like a stage', () => {
    const { rows } = story(whole);
    expect(rows.map(([stage]) => stage)).toEqual(['base', ...baselineNames, 'complete']);
    for (const name of baselineNames) {
      const { checkpoint } = readSummary(whole).find(({ stage }) => stage === name)!;
      expect(checkpoint).toMatch(new RegExp(`^${name}-\\d+$`));
      expect(openRun(whole).record.checkpoints.map((entry) => entry.name)).toContain(checkpoint);
      expect(readEvaluation(whole, checkpoint!)).toHaveLength(5);
    }
  });

  it('default to the settings of plain SFT', () => {
    const updates = (of: string) =>
      readMetrics(whole)
        .filter(({ stage }) => stage === of)
        .map(({ lr, step }) => [lr, step]);
    expect(updates('sftConcise')).toEqual(updates('sft'));
    const held = (of: string) =>
      readValidation(whole)
        .filter(({ stage }) => stage === of)
        .map(({ loss }) => loss!);
    expect(held('sftConcise')).toHaveLength(held('sft').length);
    expect(held('sftConcise')).not.toEqual(held('sft'));
    expect(held('sftConcise').at(-1)).toBeLessThan(held('sftConcise')[0]);
  });

  it('sample as Stage 2 does: the same problems, as often, from the plain question', () => {
    const drawn = (stage: 'rft' | 'grpo' | 'complete') =>
      [1, 2, 3].flatMap((step) => readRollouts(whole, stage, step).map(({ problemId, sample }) => [problemId, sample]));
    expect(drawn('rft')).toHaveLength(18);
    expect(drawn('rft')).toEqual(drawn('complete'));
    expect(drawn('grpo')).toEqual(drawn('complete'));
    for (const { prompt } of [...readRollouts(whole, 'rft', 1), ...readRollouts(whole, 'grpo', 1)])
      expect(prompt).toMatch(/^Question: .*\nSolution:\n$/);
  });

  it('replay nothing in plain GRPO, and do not train during rejection sampling', () => {
    const of = (stage: string, phase: string) =>
      readMetrics(whole).filter((record) => record.stage === stage && record.phase === phase);
    expect(of('grpo', 'grpo').map(({ replayLoss }) => replayLoss)).toEqual([undefined, undefined, undefined]);
    expect(of('complete', 'complete').some(({ replayLoss }) => replayLoss !== undefined)).toBe(true);
    expect(of('rft', 'sample').map(({ step, loss, lr }) => [step, loss, lr])).toEqual(
      [1, 2, 3].map((step) => [step, undefined, 0]),
    );
    expect(of('rft', 'rft').map(({ step }) => step)).toEqual([5, 6]);
  });

  it.each([2, 13])('give the same result when the run is stopped after %i updates and resumed', async (updates) => {
    const run = await stopAfter(updates, start);
    await resumeRun(run, quiet);
    expect(story(run)).toEqual(story(whole));
  });
});
