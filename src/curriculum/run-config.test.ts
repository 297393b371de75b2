import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRunConfig } from './run-config';
import { tinyExperiment, tinyWorkspace } from './testing/tiny';

let folder = '';
beforeAll(async () => {
  folder = await tinyWorkspace();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a run from before there were several baselines can be resumed', () => {
  const experiment = tinyExperiment(folder);
  const { sft } = experiment.baselines;
  const run = join(folder, 'runs', 'former');
  mkdirSync(run, { recursive: true });
  const config = {
    experiment: { ...experiment, baselines: { sft, controls: [] } },
    environment: { datasets: { train: 'a', test: 'b' } },
  };
  writeFileSync(join(run, 'config.json'), JSON.stringify(config));
  expect(readRunConfig(run).experiment.baselines).toEqual({ sft, sftConcise: false, rft: false, grpo: false });
});
