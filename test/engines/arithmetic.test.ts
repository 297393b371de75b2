/**
 * A short form of the built-in experiment on the PyTorch engine and on the embedded one. Stage 2, whose random numbers
 * are all from our own generator, samples the same completions (minutes); all stages give the same table within its
 * confidence intervals (half an hour on one core). `npm run test:engines` runs both.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Experiment } from '../../src/config/experiment';
import { loadExperiment } from '../../src/config/load';
import { adjust } from '../../src/curriculum/adjust';
import { startRun } from '../../src/curriculum/session';
import { askForEngine } from '../../src/engine/process/installed';
import { packageRoot } from '../../src/paths';
import { openRun, readMetrics, readRollouts } from '../../src/runs/reading';
import { askForPython } from './ask';

const python = process.env.DISTILLERY_ENGINES === '1' ? process.env.DISTILLERY_PYTHON : undefined;
const folder = mkdtempSync(join(tmpdir(), 'distillery-engines-'));
const file = join(packageRoot(), 'examples', 'arithmetic', 'arithmetic.distillery.json');

beforeAll(() => {
  if (!python) return;
  process.env.DISTILLERY_ENGINE_HOME = folder;
  askForPython(python);
});
afterAll(() => {
  askForEngine(undefined);
  delete process.env.DISTILLERY_ENGINE_HOME;
  rmSync(folder, { recursive: true, force: true });
});

type Backend = 'embedded' | 'torch';

const quick = () => loadExperiment(file, { quick: true }).experiment;

async function runOn(backend: Backend, experiment: Experiment) {
  const session = { notify: () => {}, signal: new AbortController().signal };
  const { folder: run, rows } = await startRun({ ...experiment, backend }, join(folder, backend), session);
  expect(openRun(run).record.state).toBe('finished');
  return { run, rows };
}

const tableOn = async (backend: Backend) => (await runOn(backend, quick())).rows;

/** Stage 2 from the untrained student: each update's completions, its loss and the norm of its gradient. */
async function stage2On(backend: Backend) {
  const { run } = await runOn(backend, adjust(quick(), { stage: ['complete'], limit: 40 }));
  const updates = readMetrics(run).filter(({ stage }) => stage === 'complete');
  return updates.map(({ step, loss, gradNorm }) => ({
    texts: readRollouts(run, 'complete', step).map(({ tokenTexts }) => tokenTexts.join('')),
    loss,
    gradNorm,
  }));
}

describe.skipIf(!python)('the built-in experiment', () => {
  it('samples the same completions on both engines, update after update', { timeout: 3_600_000 }, async () => {
    const [ours, theirs] = [await stage2On('embedded'), await stage2On('torch')];
    expect(ours).toHaveLength(14);
    const near = (value: number | undefined) => expect.closeTo(value!, 3);
    expect(theirs).toEqual(
      ours.map(({ texts, loss, gradNorm }) => ({ texts, loss: near(loss), gradNorm: near(gradNorm) })),
    );
  });

  it('gives the same table on both engines, within the intervals', { timeout: 3 * 3_600_000 }, async () => {
    const [ours, theirs] = [await tableOn('embedded'), await tableOn('torch')];
    expect(theirs.map(({ stage }) => stage)).toEqual(ours.map(({ stage }) => stage));
    for (const [i, row] of theirs.entries()) {
      const { stage, accuracyInterval: interval, meanTokens } = ours[i];
      const said = `${row.stage}: ${row.accuracyInterval} beside ${interval}`;
      expect(row.accuracyInterval[0], said).toBeLessThanOrEqual(interval[1]);
      expect(row.accuracyInterval[1], said).toBeGreaterThanOrEqual(interval[0]);
      const longer = row.meanTokens / meanTokens;
      expect(longer, `${stage}: tokens`).toBeLessThan(1.33);
      // Fourteen updates of GRPO may or may not be enough for greedy answers to become concise.
      if (stage !== 'complete' && stage !== 'rewrite') expect(longer, `${stage}: tokens`).toBeGreaterThan(0.75);
    }
    expect(theirs[0].accuracy).toBeCloseTo(ours[0].accuracy, 1); // the same student, asked greedily
  });
});
