import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExperimentInput } from '../../src/config/experiment';
import { startRun } from '../../src/curriculum/session';
import { tinyExperiment, tinyWorkspace } from '../../src/curriculum/testing/tiny';
import { packageRoot } from '../../src/paths';
import { readFailures, readMetrics, readRollouts, readSummary } from '../../src/runs/reading';

// GSM8K and BRIDGE's hard cases as published; they are not part of the repository.
const shared = join(packageRoot(), '../shared/data');
const bridge = join(shared, 'bridge/stage3_error_samples.json');
const gsm8k = (part: string) => join(shared, 'gsm8k', part);
const present = existsSync(bridge) && existsSync(gsm8k('train.jsonl'));
if (!present) console.warn(`real data: skipped, as there is no ${shared}`);

const quiet = { notify: () => {}, signal: new AbortController().signal };
let folder = '';

beforeAll(async () => {
  folder = await tinyWorkspace();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The tiny student cannot solve a single problem; the pipeline must not care. */
function run(data: ExperimentInput['data'], source: 'student' | 'data' = 'student') {
  const experiment = tinyExperiment(folder, { data, evaluation: { every: 3, maxNewTokens: 6 } });
  if (experiment.stages.rewrite) experiment.stages.rewrite.failures.source = source;
  return startRun(experiment, join(folder, 'runs'), quiet);
}

describe.runIf(present)('real data', () => {
  it('BRIDGE: the three stages run, and Stage 3 starts from the recorded failures', async () => {
    // Neighbouring rows with short chains: attention over long ones is most of the time.
    const train = { format: 'bridge', path: bridge, start: 21, count: 8 } as const;
    const test = { format: 'bridge', path: bridge, start: 29, count: 2 } as const;
    const { folder: done } = await run({ train, test, validation: 2 }, 'data');
    expect(readSummary(done).map(({ stage }) => stage)).toEqual(['base', 'sft', 'reconstruct', 'complete', 'rewrite']);
    const failures = readFailures(done);
    expect(failures).toHaveLength(6);
    for (const failure of failures) {
      expect(failure.source).toBe('data');
      expect(failure.samples[0].text.length).toBeGreaterThan(40);
      expect(failure.teacherChain).toContain('Step 1:');
    }
    expect(new Set(failures.map(({ category }) => category)).size).toBeGreaterThan(1);
    expect(failures.filter(({ firstWrongStep }) => firstWrongStep).length).toBeGreaterThan(2);
    expect(readRollouts(done, 'rewrite', 1)[0].prompt).toContain('A correct solution:');
  });

  it('BRIDGE: all 568 cases are failures, except those that are right as numbers', async () => {
    const { folder: done } = await startRun(
      tinyExperiment(folder, {
        data: {
          train: { format: 'bridge', path: bridge },
          test: { format: 'bridge', path: bridge, count: 2 },
          validation: 1,
        },
        stages: {
          reconstruct: false,
          complete: false,
          rewrite: {
            updates: 0,
            reward: 'bridge-stage3',
            prompts: 1,
            group: 2,
            maxNewTokens: 2,
            internalise: { updates: 0 },
            failures: { source: 'data' },
          },
        },
        baselines: { sft: false },
        evaluation: { maxNewTokens: 2 },
      }),
      join(folder, 'runs'),
      quiet,
    );
    const count = readFailures(done).length;
    // 11 are right ("42.00" for 42), one row chooses checkpoints, and two chains end in another answer ("$27,200" for
    // 27).
    expect(count).toBeGreaterThanOrEqual(553);
    expect(count).toBeLessThanOrEqual(556);
  });

  it('GSM8K: the three stages run on the files as published', async () => {
    const { folder: done } = await run({
      train: { format: 'gsm8k', path: gsm8k('train.jsonl'), count: 16 },
      test: { format: 'gsm8k', path: gsm8k('test-first-660.jsonl'), count: 4 },
      validation: 4,
    });
    expect(readSummary(done)).toHaveLength(5);
    const steps = readMetrics(done).filter(({ stage }) => stage === 'complete');
    expect(steps).toHaveLength(3);
    expect(readRollouts(done, 'complete', 1)[0].prompt).not.toContain('<<');
  });
});
