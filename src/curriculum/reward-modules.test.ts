import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { configFile, rewardModuleFile } from '../runs/layout';
import { readMetrics, readRollouts } from '../runs/reading';
import { resumeRun, type SessionOptions, startRun } from './session';
import { stopAfter, tinyExperiment, tinyWorkspace } from './testing/tiny';

let folder = '';
beforeAll(async () => {
  folder = await tinyWorkspace();
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }), 120_000);

const module = () => join(folder, 'length.reward.mjs');
const text = 'export default ({ tokens }, { options }) => (tokens > 5 ? tokens / options.most : null);\n';

/** Stage 2 alone with a reward in code; returns the run and its notes. */
async function train(options: Partial<SessionOptions> = {}) {
  writeFileSync(module(), text);
  const use = './length.reward.mjs';
  const components = [{ use: 'correctness' }, { use, options: { most: 10 } }, { use, name: 'none', options: null }];
  writeFileSync(join(folder, 'code.reward.json'), JSON.stringify({ components }));
  const notes: string[] = [];
  const stage = { updates: 2, prompts: 2, group: 3, maxNewTokens: 8, learningRate: 1e-3, reward: 'code.reward.json' };
  const experiment = tinyExperiment(folder, {
    stages: { reconstruct: false, complete: stage, rewrite: false },
    baselines: { sft: false },
  });
  const { folder: run } = await startRun(experiment, join(folder, 'runs'), {
    notify: (event) => event.type === 'note' && notes.push(event.text),
    signal: new AbortController().signal,
    ...options,
  });
  return { run, notes };
}

const metrics = (run: string) => readMetrics(run).map(({ time: _, tokensPerSecond: __, ...rest }) => rest);

it('trains with a reward in code, records its module, and repeats the metrics', async () => {
  const { run, notes } = await train();
  expect(notes).toContain(`runs code: ${module()}`);
  expect(notes.filter((one) => one.includes('did not apply'))).toEqual([
    expect.stringMatching(/length\.reward\.mjs:1:\d+: Cannot read properties of null .*"none" did not apply there$/),
    expect.stringMatching(/ \(\d+ times\)$/),
  ]);
  const rollouts = [1, 2].flatMap((step) => readRollouts(run, 'complete', step));
  for (const { tokens, finished, parts } of rollouts) {
    const length = tokens.length - Number(finished);
    expect(parts).toMatchObject({ length: length > 5 ? length / 10 : null, none: null });
  }
  const lengths = readRollouts(run, 'complete', 1).flatMap(({ parts }) => parts.length ?? []);
  expect(lengths.length).toBeGreaterThan(0);
  expect(metrics(run)[0].parts?.length).toBeCloseTo(lengths.reduce((sum, one) => sum + one, 0) / lengths.length);

  const copy = '1-length.reward.mjs';
  const { environment } = JSON.parse(readFileSync(configFile(run), 'utf8'));
  const sha256 = createHash('sha256').update(text).digest('hex');
  expect(environment.rewardModules).toEqual([{ path: module(), sha256, copy }]);
  expect(readFileSync(rewardModuleFile(run, copy), 'utf8')).toBe(text);

  expect(metrics((await train()).run)).toEqual(metrics(run));
});

it('reports a module that has changed since the run began, and refuses to continue without it', async () => {
  const run = await stopAfter(1, train);
  rmSync(module());
  const notes: string[] = [];
  const options: SessionOptions = {
    notify: (event) => event.type === 'note' && notes.push(event.text),
    signal: new AbortController().signal,
  };
  await expect(resumeRun(run, options)).rejects.toMatchObject({
    file: module(),
    remedy: expect.stringContaining(`${rewardModuleFile(run, '1-length.reward.mjs')} is a copy`),
  });
  writeFileSync(module(), `${text}// changed`);
  await resumeRun(run, options);
  expect(notes).toContainEqual(expect.stringContaining(`${module()} has changed since the run began`));
  expect(metrics(run)).toHaveLength(2);
});
