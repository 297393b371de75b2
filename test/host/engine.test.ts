import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { TestServer } from '../../src/engine/tinker/testing/server';
import { loadStudent } from '../../src/model/hf-folder';
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

it("a host computes on the engine whose command its client sends, the user's own", async () => {
  const experiment = work.experiment('engine', { backend: 'torch', baselines: { sft: false } });
  const nameless = work.client();
  await expect(nameless.client.request('start', { experiment, stages: ['reconstruct'] })).rejects.toMatchObject({
    code: 'backend',
    message: 'no PyTorch engine is set up here',
    remedy: expect.stringContaining('Set Up PyTorch Engine'),
  });
  const engine = `"${process.execPath}" "${program}"`;
  const { client, events } = work.client({ client: { name: 'test', version: '0.0.0', engine } });
  const { run } = await client.request('start', { experiment, stages: ['reconstruct'] });
  await until('the run is finished', () => events.some(({ type }) => type === 'ended'));
  expect(openRun(run).record.state).toBe('finished');
  const begun = events.find((event) => event.type === 'run');
  expect(begun).toMatchObject({ run: { folder: run, backend: 'fake-engine 0 on the CPU' } });
});

it('a host trains on the Tinker server that its client names, and never writes the key', async () => {
  const student = { path: 'student', lora: { rank: 4, dropout: 0 } };
  const experiment = work.experiment('tinker', { backend: 'tinker', student, baselines: { sft: false } });
  const nameless = work.client();
  await expect(nameless.client.request('start', { experiment, stages: ['reconstruct'] })).rejects.toMatchObject({
    code: 'backend',
    message: 'no Tinker server is configured',
    remedy: expect.stringContaining('Set Up Tinker Server'),
  });
  const server = await TestServer.start(loadStudent(join(work.folder, 'student')).model);
  try {
    const key = 'tml-kept-in-memory-alone';
    const tinker = { url: server.url, key, model: '' };
    const { client, events } = work.client({ client: { name: 'test', version: '0.0.0', tinker } });
    const { run } = await client.request('start', { experiment, stages: ['reconstruct'] });
    await until('the run is finished', () => events.some(({ type }) => type === 'ended'));
    expect(openRun(run).record.state).toBe('finished');
    expect([...server.keys]).toEqual([key]);
    const written = readdirSync(work.distillery, { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    );
    expect(written.length).toBeGreaterThan(5);
    for (const { parentPath, name } of written)
      expect(readFileSync(join(parentPath, name)).includes(key), join(parentPath, name)).toBe(false);
    expect(JSON.stringify(events)).not.toContain(key);
  } finally {
    await server.stop();
  }
});
