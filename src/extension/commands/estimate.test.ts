import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stageRow, writeRun, writeSummary } from '../testing/run-folders';
import { parseExperiment } from '../workspace/experiment-file';
import { RunCache } from '../workspace/run-cache';
import { estimatedSeconds } from './estimate';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distillery-estimate-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('goes by the newest finished run, in proportion to the updates of each stage', () => {
  const file = join(folder, 'sums.distillery.json');
  const stages = { complete: { updates: 200 }, rewrite: { updates: 10, internalise: { updates: 90 } } };
  const text = JSON.stringify({ name: 'sums', stages, quick: { stages: { complete: { updates: 20 } } } });
  writeFileSync(file, text);
  const experiment = parseExperiment(file, text);
  const cache = new RunCache();
  const source = { cache, list: () => cache.list([experiment.runs]) };
  expect(estimatedSeconds(experiment, false, source)).toBeUndefined();
  const run = writeRun(experiment.runs, '20260205-140309-sums');
  const quick = { complete: { updates: 20 }, rewrite: { updates: 10, internalise: { updates: 40 } } };
  writeFileSync(join(run, 'config.json'), JSON.stringify({ experiment: { stages: quick } }));
  writeSummary(run, [
    stageRow('base'),
    stageRow('complete', { wallSeconds: 60 }),
    stageRow('rewrite', { wallSeconds: 30 }),
  ]);
  expect(estimatedSeconds(experiment, false, source)).toBe(600 + 60);
  expect(estimatedSeconds(experiment, true, source)).toBe(60 + 60);
});
