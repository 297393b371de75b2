import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { differingSettings } from '../../runs/differences';
import { pairedDifference } from '../../runs/paired';
import type { EvaluationRecord } from '../../runs/records';
import { rolloutRecord } from '../../runs/testing/rollout';
import { createRun } from '../../runs/writer';
import { Groups, rolloutsMessage } from './rollouts';
import { RunSource } from './source';
import { runsOf } from './subject';

it('settings that differ are named by their path; components by name, not by place', () => {
  const component = (use: string, weight: number) => ({ use, weight, options: { floor: -1 } });
  const config = (weight: number, extra: object, order = [0, 1]) => ({
    experiment: {
      name: 'a',
      seed: 1,
      stages: {
        complete: {
          updates: 10,
          ...extra,
          maskSchedule: [0.5, 1],
          reward: { components: order.map((i) => [component('correctness', 1), component('brevity', weight)][i]) },
        },
        rewrite: false,
      },
    },
    environment: { node: 'v20' },
  });
  expect(differingSettings([config(1, {}), config(2, { beta: 0.1 }, [1, 0])])).toEqual([
    { path: 'stages.complete.reward.components[brevity].weight', values: ['1', '2'] },
    { path: 'stages.complete.beta', values: [null, '0.1'] },
  ]);
  expect(differingSettings([config(1, {}), config(1, {})])).toEqual([]);
  expect(differingSettings([undefined, { seed: 1 }])).toContainEqual({ path: 'seed', values: [null, '1'] });
});

it('of a stage that only some runs have, that is one difference; what says most comes first', () => {
  const complete = { updates: 3, group: 8, sampling: { temperature: 1 } };
  const config = (seed: number, stages: object) => ({ environment: { node: `v${seed}` }, seed, stages });
  expect(differingSettings([config(1, { complete }), config(2, { complete: false }), config(1, { complete })])).toEqual(
    [
      { path: 'stages.complete', values: ['set', 'false', 'set'] },
      { path: 'seed', values: ['1', '2', '1'] },
      { path: 'environment.node', values: ['"v1"', '"v2"', '"v1"'] },
    ],
  );
  expect(
    differingSettings([
      { seed: 1, stages: { complete } },
      { seed: 1 },
      { seed: 1, stages: { complete: { ...complete, group: 4 } } },
    ]),
  ).toEqual([
    { path: 'stages', values: ['set', null, 'set'] },
    { path: 'stages.complete.group', values: ['8', null, '4'] },
  ]);
});

const answer = (id: number, correct: boolean, tokens: number): EvaluationRecord => ({
  seq: id,
  problemId: `p${id}`,
  gold: '1',
  text: '',
  answer: null,
  correct,
  finished: true,
  tokens,
});

it('paired differences are over the problems that both answered, with an interval that holds them', () => {
  const before = Array.from({ length: 200 }, (_, i) => answer(i, i % 2 === 0, 100));
  const after = Array.from({ length: 200 }, (_, i) => answer(i + 50, (i + 50) % 2 === 0 || i % 5 === 0, 90));
  const pair = pairedDifference(before, after)!;
  expect(pair.n).toBe(150);
  expect(pair.accuracy).toBeCloseTo(15 / 150, 10);
  expect(pair.accuracyInterval[0]).toBeGreaterThan(0.04);
  expect(pair.accuracyInterval[1]).toBeLessThan(0.16);
  expect(pair).toMatchObject({ tokens: -10, tokensInterval: [-10, -10] });
  expect(
    pairedDifference(
      before,
      after.map((record) => ({ ...record, gold: '2' })),
    ),
  ).toBeUndefined();
  expect(pairedDifference([], after)).toBeUndefined();
});

it('groups of rollouts are sorted by reward, and their texts end before the end token', () => {
  const rollout = (group: number, sample: number, reward: number | null) =>
    rolloutRecord({
      problemId: `p${group}`,
      group,
      sample,
      tokens: [5, 6, 0],
      tokenTexts: ['a', 'b', '<end>'],
      reward,
      parts: { correctness: reward },
      finished: sample !== 2,
    });
  const made = new Groups();
  for (const one of [rollout(1, 0, -1), rollout(0, 0, 0), rollout(1, 1, null), rollout(1, 2, 2)]) made.add(one);
  const groups = made.sorted();
  expect(groups.map(({ problemId }) => problemId)).toEqual(['p1', 'p0']);
  expect(groups[0].completions.map(({ sample }) => sample)).toEqual([2, 0, 1]);
  expect(groups[0].completions[0]).toMatchObject({ text: 'ab<end>', tokens: 3 });
  expect(groups[0].completions[1]).toMatchObject({ text: 'ab', tokens: 2 });
});

it('of more rollouts than a page can show the first are shown, and that they are', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rollouts-'));
  try {
    const run = createRun(folder, 'large', {});
    const record = {
      problemId: 'p',
      group: 0,
      prompt: 'Q',
      tokens: [5],
      tokenTexts: ['abcd'],
      reward: 1,
      parts: {},
      advantage: 0,
      finished: false,
      answer: null,
      correct: false,
    };
    run.rollouts(
      'complete',
      1,
      Array.from({ length: 9 }, (_, sample) => ({ ...record, sample })),
    );
    const place = { run: run.folder, stage: 'complete' as const, step: 1 };
    const whole = await rolloutsMessage(place);
    expect([whole.groups[0].completions.length, whole.problem]).toEqual([9, undefined]);
    const first = await rolloutsMessage(place, undefined, 10);
    expect(first.groups[0].completions).toHaveLength(3);
    expect(first.problem).toBe('The first 3 completions: the file holds more than a page can show.');
    run.close({ state: 'finished' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('commands take folders, nodes and selections', () => {
  expect(runsOf('/a', undefined)).toEqual(['/a']);
  expect(runsOf(['/a', '/b', '/a'], undefined)).toEqual(['/a', '/b']);
  expect(runsOf({ run: '/a' }, [{ run: '/a' }, { run: '/b' }])).toEqual(['/a', '/b']);
  expect(runsOf(undefined, undefined)).toEqual([]);
  expect(runsOf({ run: 3 }, [{}])).toEqual([]);
});

it('the dashboard is told which stages left the student as it was, by the rule of the report', () => {
  const run = createRun(mkdtempSync(join(tmpdir(), 'distillery-dashboard-')), 'kept', {});
  const row = {
    accuracy: 0.5,
    accuracyInterval: [0.4, 0.6] as [number, number],
    meanTokens: 40,
    n: 4,
    wallSeconds: 65,
  };
  run.summary({ stage: 'base', ...row });
  run.summary({ stage: 'complete', ...row, checkpoint: 'complete-5' });
  run.summary({ stage: 'rewrite', ...row, checkpoint: 'rewrite-11' });
  const check = { accuracy: 0.5, meanTokens: 40, best: true };
  run.validation({ stage: 'complete', phase: 'complete', step: 0, ...check });
  run.validation({ stage: 'complete', phase: 'complete', step: 5, ...check });
  run.validation({ stage: 'rewrite', phase: 'internalise', step: 11, ...check });
  run.close({ state: 'finished' });
  expect(new RunSource(run.folder).head().unchanged).toEqual(['rewrite']);
  rmSync(run.folder, { recursive: true });
});
