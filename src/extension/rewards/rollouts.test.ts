import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { preset } from '../../config/presets';
import { arithmeticDefaults, arithmeticItem } from '../../data/arithmetic';
import { listRuns } from '../../runs/reading';
import { newRollout } from '../../runs/testing/rollout';
import { createRun } from '../../runs/writer';
import type { StageName } from '../../stages';
import { newestRollouts, readCompletions, stagesWithRollouts } from './rollouts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'distillery-rollouts-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const train = { format: 'arithmetic', seed: 1, count: 3, start: 0, operations: [2, 2], maxValue: 60 } as const;
const stages = { complete: { reward: preset('default') }, rewrite: { reward: preset('bridge-stage3') } };
const item = arithmeticItem({ ...arithmeticDefaults, operations: [2, 2] }, 'train', 0);

function makeRun(time: string, recorded: [StageName, number][], problemId = item.id): string {
  const run = createRun(root, 'x', { experiment: { data: { train }, stages } }, () => new Date(time));
  for (const [stage, step] of recorded)
    run.rollouts(stage, step, [newRollout({ problemId, tokens: [1, 2, 0], tokenTexts: ['Answer: ', '5', '<end>'] })]);
  run.close({ state: 'finished' });
  return run.folder;
}

it('takes the newest run with rollouts, and its stage that the reward was for', () => {
  const run = makeRun('2026-02-05T10:00:00Z', [
    ['complete', 1],
    ['complete', 2],
    ['rewrite', 1],
  ]);
  makeRun('2026-02-05T11:00:00Z', []);
  expect(stagesWithRollouts(run)).toEqual([
    { stage: 'complete', updates: 2 },
    { stage: 'rewrite', updates: 1 },
  ]);
  expect(newestRollouts(listRuns(root), 'default')).toMatchObject({ run, stage: 'complete' });
  expect(newestRollouts(listRuns(root), 'of my own')).toMatchObject({ run, stage: 'rewrite' });
  expect(newestRollouts([], 'default')).toBeUndefined();
});

it('reads completions with their problems, the newest updates only', () => {
  const run = makeRun('2026-02-05T10:00:00Z', [
    ['complete', 1],
    ['complete', 2],
    ['complete', 10],
  ]);
  const { steps, completions } = readCompletions({ run, stage: 'complete', updates: 2 });
  expect(steps).toEqual([2, 10]);
  expect(completions.map(({ problem, completion }) => [problem.question, problem.answer, completion.text])).toEqual(
    Array(2).fill([item.question, item.answer, 'Answer: 5']),
  );
});

it('reports a missing problem, and a run without rollouts', () => {
  const run = makeRun('2026-02-05T10:00:00Z', [['complete', 1]], 'train-1-999');
  expect(() => readCompletions({ run, stage: 'complete', updates: 1 })).toThrow(/train-1-999 is no longer in the data/);
  expect(() => readCompletions({ run, stage: 'rewrite', updates: 1 })).toThrow(/no rollouts of this stage/);
});
