import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRun, readMetrics } from '../runs/reading';
import type { CurriculumEvent } from './context';
import { resumeRun, startRun } from './session';
import { tinyExperiment, tinyWorkspace } from './testing/tiny';
import { unfinishedRun } from './unfinished';

let folder = '';
beforeAll(async () => {
  folder = await tinyWorkspace();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const quiet = { notify: () => {}, signal: new AbortController().signal };
const updates = 4;

/** One phase without a check before its end. */
const experimentOf = (changes: object = {}) =>
  tinyExperiment(folder, {
    stages: {
      reconstruct: { updates, batch: 2, learningRate: 1e-3, evaluateEvery: 50 },
      complete: false,
      rewrite: false,
    },
    baselines: { sft: false },
    ...changes,
  });

const metrics = (run: string) => readMetrics(run).map(({ time: _, tokensPerSecond: __, ...rest }) => rest);

it('come after so many minutes of training', async () => {
  const taken: string[] = [];
  const notify = (event: CurriculumEvent) => event.type === 'checkpoint' && taken.push(event.name);
  const often = experimentOf({ checkpointMinutes: 1e-9 });
  const { folder: run } = await startRun(often, join(folder, 'often'), { ...quiet, notify });
  expect(taken).toEqual([1, 2, 3, 4].map((step) => `reconstruct-${step}`));
  taken.length = 0;
  const seldom = await startRun(experimentOf(), join(folder, 'seldom'), { ...quiet, notify });
  expect(taken).toEqual(['reconstruct-4']);
  expect(metrics(seldom.folder)).toEqual(metrics(run));
});

it('let a run that dies at its second update, again and again, come to its end', async () => {
  const whole = await startRun(experimentOf(), join(folder, 'whole'), quiet);
  const dying = () => {
    let seen = 0;
    return (event: CurriculumEvent) => {
      if (event.type === 'update' && ++seen === 2) throw new Error('killed');
    };
  };
  let run = '';
  const begun = (writer: { folder: string }) => (run = writer.folder);
  const experiment = experimentOf();
  let lives = startRun(experiment, join(folder, 'dying'), { ...quiet, notify: dying(), begun }).catch(() => null);
  for (let deaths = 1; (await lives) === null; deaths++) {
    expect(deaths).toBeLessThan(updates + 1);
    const file = join(run, 'run.json');
    const record = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...record, state: 'running' })); // as a process that was killed leaves it
    expect(unfinishedRun(experiment, join(folder, 'dying'))).toBe(run);
    lives = resumeRun(run, { ...quiet, notify: dying() }).catch(() => null);
  }
  expect(openRun(run).record.state).toBe('finished');
  expect(metrics(run)).toEqual(metrics(whole.folder));
  expect(unfinishedRun(experiment, join(folder, 'dying'))).toBeNull();
});

it('belong to runs of the same experiment only', async () => {
  const stop = new AbortController();
  const runs = join(folder, 'stopped');
  const notify = (event: CurriculumEvent) => event.type === 'update' && stop.abort();
  await expect(startRun(experimentOf(), runs, { notify, signal: stop.signal })).rejects.toThrow('stopped');
  expect(unfinishedRun(experimentOf(), runs)).not.toBeNull();
  expect(unfinishedRun({ ...experimentOf(), seed: 2 }, runs)).toBeNull();
});
