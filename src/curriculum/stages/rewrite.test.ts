import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../paths';
import { openRun, readMetrics, readSummary, readValidation } from '../../runs/reading';
import { startRun } from '../session';
import { tinyExperiment, tinyWorkspace } from '../testing/tiny';
import { reasonsAgainst } from './rewrite';

const sample = (text: string, length: number, correct = true, fault: string | null = null) => ({
  text,
  length,
  correct,
  fault,
});

test('shorter wrong rewrites do not displace right ones', () => {
  const samples = [
    sample('wrong and short', 3, false),
    sample('wrong, too', 4, false),
    sample('copied', 4, true, 'the answer 42 comes from no step'),
    sample('right', 5),
    sample('right', 5),
    sample('disliked', 6),
    sample('right again', 7),
    sample('one too many', 8),
    sample('as long as the teacher', 20),
  ];
  expect(reasonsAgainst(samples, 20, new Set(['disliked']), 2)).toEqual([
    'wrong',
    'wrong',
    'the answer 42 comes from no step',
    undefined,
    'repeated',
    'rejected by hand',
    undefined,
    'enough kept',
    'not shorter',
  ]);
});

test('keeps none if the limit is 0', () => {
  expect(reasonsAgainst([sample('right', 5)], 20, new Set(), 0)).toEqual(['enough kept']);
});

describe('the result of Stage 3', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await tinyWorkspace();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /**
   * A rewriter that is the student itself, as its learning rate is 0, and a student that is internalised at
   * `learningRate`.
   */
  async function run(internalise: { updates: number; learningRate?: number }) {
    const notes: string[] = [];
    const grpo = {
      updates: 1,
      prompts: 2,
      group: 2,
      learningRate: 0,
      maxNewTokens: 320,
      reward: 'bridge-stage3' as const,
    };
    const experiment = tinyExperiment(folder, {
      student: { path: join(packageRoot(), 'test/fixtures/parity/student') },
      data: {
        train: { format: 'arithmetic', seed: 1, count: 14, operations: [5, 6] },
        test: { format: 'arithmetic', seed: 2, count: 5, operations: [5, 6] },
        validation: 4,
      },
      stages: { reconstruct: false, complete: false, rewrite: { ...grpo, failures: { samples: 0 }, internalise } },
      baselines: { sft: false },
      evaluation: { maxNewTokens: 320 },
    });
    const { folder: made } = await startRun(experiment, join(folder, 'runs'), {
      signal: new AbortController().signal,
      notify: (event) => event.type === 'note' && notes.push(event.text),
    });
    const chosen = readSummary(made).at(-1)?.checkpoint;
    expect(openRun(made).record.checkpoints.map(({ name }) => name)).toContain(chosen);
    return { chosen, notes, run: made };
  }
  const told = 'the rewriter itself is best on the validation rows';

  test('is the rewriter where no internalised student is better on the validation rows', async () => {
    const { chosen, notes, run: made } = await run({ updates: 2, learningRate: 0.5 });
    expect(chosen).toBe('rewrite-1');
    expect(notes).toContain(told);
    const checks = readValidation(made).map(({ phase, step, accuracy }) => ({ phase, step, accuracy: accuracy! }));
    expect(checks.map(({ phase, step }) => [phase, step])).toEqual([
      ['rewrite', 1],
      ['internalise', 2],
      ['internalise', 4],
    ]);
    expect(checks[0].accuracy).toBeGreaterThan(checks[2].accuracy);
    const [base, rewritten] = readSummary(made);
    expect(rewritten).toMatchObject({ accuracy: base.accuracy, meanTokens: base.meanTokens });
  });

  test('is chosen where there is nothing to internalise, too', async () => {
    const { chosen, run: made } = await run({ updates: 0 });
    expect(chosen).toBe('rewrite-1');
    expect(readMetrics(made).map(({ phase }) => phase)).toEqual(['rewrite']);
  });
});
