import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { packageRoot } from '../../src/paths';
import { openRun } from '../../src/runs/reading';
import { openWorkplace, until, type Workplace } from './workplace';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const program = join(packageRoot(), 'test', 'engines', 'fake-engine.mjs');
let work: Workplace;
beforeAll(async () => {
  process.env.DISTILLERY_ENGINE_HOME = join(packageRoot(), 'node_modules', '.cache', 'no-engine');
  work = await openWorkplace();
});
afterEach(() => work.endHost());
afterAll(async () => {
  delete process.env.DISTILLERY_ENGINE_HOME;
  await work?.close();
});

it("a host computes on the engine whose command its client tells, the user's own", async () => {
  const experiment = work.experiment('engine', { backend: 'torch', baselines: { sft: false } });
  const nameless = work.client();
  await expect(nameless.client.start({ experiment, stages: ['reconstruct'] })).rejects.toMatchObject({
    code: 'backend',
    message: 'no PyTorch engine is set up here',
    remedy: expect.stringContaining('Set Up PyTorch Engine'),
  });
  const engine = `"${process.execPath}" "${program}"`;
  const { client, events } = work.client({ client: { name: 'test', version: '0.0.0', engine } });
  const { run } = await client.start({ experiment, stages: ['reconstruct'] });
  await until('the run is finished', () => events.some(({ type }) => type === 'ended'));
  expect(openRun(run).record.state).toBe('finished');
  const begun = events.find((event) => event.type === 'run');
  expect(begun).toMatchObject({ run: { folder: run, backend: 'fake-engine 0 on the CPU' } });
});
