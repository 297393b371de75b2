/** `integrations/distillery.py` in real runs of TRL on the CPU. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { python } from '../../scripts/peers/python';
import { importRollouts } from '../../src/imports/import';
import { packageRoot } from '../../src/paths';
import { openRun, readConfig, readMetrics, readRollouts, readValidation, rolloutSteps } from '../../src/runs/reading';

const interpreter = python(['torch', 'transformers', 'trl']);
if (!interpreter) process.stderr.write('NOT RUN: the callback for TRL, as there is no Python with trl\n');
const folder = mkdtempSync(join(tmpdir(), 'distillery-trl-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Log = Record<string, number>[];
let told: { with: Log; without: Log; sft: Log; seen: [state: string, metrics: number][] };
const run = (name: string) => {
  const runs = join(folder, 'runs');
  return join(runs, readdirSync(runs).find((one) => one.endsWith(`-${name}`))!);
};

describe.runIf(interpreter)('the callback in TRL', () => {
  beforeAll(() => {
    const script = join(packageRoot(), 'scripts', 'peers', 'trl_run.py');
    const student = join(packageRoot(), 'examples', 'arithmetic', 'student');
    const env = { ...process.env, OMP_NUM_THREADS: '1', HF_HUB_OFFLINE: '1' };
    const printed = execFileSync(interpreter!, [script, student, folder], {
      encoding: 'utf8',
      env,
      maxBuffer: 1 << 26,
      stdio: ['ignore', 'pipe', 'pipe'],
    } as const);
    told = JSON.parse(printed.split('\n').find((line) => line.startsWith('{"with"'))!);
  }, 600_000);

  it('does not change what the trainer computes', () => {
    const timeless = (log: Log) =>
      log.map((entry) => Object.fromEntries(Object.entries(entry).filter(([key]) => !/time|per_second/.test(key))));
    expect(timeless(told.with)).toEqual(timeless(told.without));
  });

  it('shows the run while it trains', () => {
    expect(told.seen).toEqual([
      ['running', 0],
      ['running', 1],
      ['running', 2],
    ]);
    expect(openRun(run('with'))).toMatchObject({ interrupted: false, record: { state: 'finished', step: 3 } });
    expect(existsSync(join(run('with'), 'lock', '1.released'))).toBe(true);
    expect(readConfig(run('with'))).toMatchObject({
      imported: { from: 'GRPOTrainer', updates: 3 },
      trainer: { beta: 0.04 },
    });
  });

  it('writes what the trainer logs', () => {
    const metrics = readMetrics(run('with'));
    expect(metrics).toHaveLength(3);
    for (const [i, update] of metrics.entries()) {
      const log = told.with[i];
      expect(update).toMatchObject({
        stage: 'training',
        step: i + 1,
        loss: log.loss,
        gradNorm: log.grad_norm,
        lr: log.learning_rate,
        reward: log.reward,
        rewardStd: log.reward_std,
        kl: log.kl,
        entropy: log.entropy,
        lengthMean: log['completions/mean_length'],
        truncated: log['completions/clipped_ratio'],
        flatGroups: log.frac_reward_zero_std,
      });
    }
  });

  it('writes every completion with its log-probs, rewards and advantages', () => {
    expect(rolloutSteps(run('with'))).toEqual([1, 2, 3].map((step) => ({ stage: 'training', step })));
    for (const step of [1, 2, 3]) {
      const rollouts = readRollouts(run('with'), 'training', step);
      expect(rollouts.map(({ group, sample }) => 4 * group + sample)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      const log = told.with[step - 1];
      const average = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
      expect(average(rollouts.map(({ reward }) => reward!))).toBeCloseTo(log.reward, 5);
      const perToken = rollouts.map(({ logProbs, refLogProbs, entropy, tokens, tokenTexts }) => {
        for (const list of [logProbs, refLogProbs, entropy, tokenTexts]) expect(list).toHaveLength(tokens.length);
        return { entropy: entropy!, kl: logProbs!.map((value, i) => refLogProbs![i] - value) };
      });
      // Completions are equally long here, so that every mean over tokens is the mean of means.
      expect(average(perToken.flatMap(({ entropy }) => entropy))).toBeCloseTo(log.entropy, 3);
      const kl = perToken.flatMap((one) => one.kl.map((difference) => Math.exp(difference) - difference - 1));
      expect(Math.abs(average(kl) - log.kl)).toBeLessThan(1e-3 * Math.max(1, log.kl));
      for (const { prompt, question, gold, parts, correct, advantage } of rollouts) {
        expect([prompt, gold]).toEqual([`Question: ${question}\nSolution:`, '19']);
        expect(correct).toBe(parts.accuracy_reward === 1);
        expect(Number.isFinite(advantage)).toBe(true);
      }
    }
  });

  it('agrees with the import of what TRL itself logged, in which the weights have to be named', async () => {
    const bring = async (weights?: Record<string, number>) =>
      (await importRollouts(join(folder, 'with'), { runsFolder: join(folder, 'imported'), weights }))[0];
    const { notes } = await bring();
    expect(notes.some((note) => note.includes('--weights'))).toBe(true);
    const { folder: imported } = await bring({ accuracy_reward: 1, brevity_reward: 0.5 });
    for (const step of [1, 2, 3]) {
      const ours = readRollouts(run('with'), 'training', step);
      const theirs = readRollouts(imported, 'training', step);
      for (const [i, { problemId, question, gold, correct, advantage, reward, tokenTexts }] of ours.entries()) {
        expect(theirs[i]).toMatchObject({ problemId, question, correct });
        expect(theirs[i].tokenTexts.join('')).toBe(tokenTexts.join(''));
        expect(theirs[i].advantage).toBeCloseTo(advantage!, 6);
        expect(theirs[i].reward).toBeCloseTo(reward!, 6);
        expect(gold).toBe('19');
      }
    }
  });

  it('writes supervised runs with their checks', () => {
    const sft = run('sft');
    expect(openRun(sft).record).toMatchObject({ state: 'finished', stage: 'training' });
    const losses = told.sft.flatMap(({ loss }) => (loss === undefined ? [] : [loss]));
    expect(readMetrics(sft).map(({ stage, loss }) => [stage, loss])).toEqual(losses.map((loss) => ['training', loss]));
    const checks = told.sft.flatMap(({ eval_loss: loss }) => (loss === undefined ? [] : [loss]));
    expect(readValidation(sft).map(({ loss }) => loss)).toEqual(checks);
  });
});
