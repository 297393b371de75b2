import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { findBackend } from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { resumeRun, startRun } from '../../src/curriculum/session';
import { tinyExperiment, tinyWorkspace } from '../../src/curriculum/testing/tiny';
import type { EmbeddedBackend } from '../../src/kernels/embedded/backend';
import { BufferPool } from '../../src/kernels/native/pool';
import { openRun, readSummary } from '../../src/runs/reading';

let folder = '';
beforeAll(async () => {
  folder = await tinyWorkspace();
  return () => rmSync(folder, { recursive: true, force: true });
});
afterEach(() => vi.unstubAllEnvs());

it('a memory pool respects DISTILLERY_MEMORY_LIMIT', () => {
  vi.stubEnv('DISTILLERY_MEMORY_LIMIT', '1');
  const pool = new BufferPool();
  const block = pool.allocate(900_000);
  expect(() => pool.allocate(900_000)).toThrow(
    /Array buffer allocation failed: 900000 bytes in addition to 1 MiB in use/,
  );
  pool.release(block);
  pool.allocate(900_000);
});

it('a run out of memory fails with place and remedy, keeps its checkpoints, and resumes with more', async () => {
  const { memory } = (findBackend('embedded') as EmbeddedBackend).library;
  let updates = 0;
  let run = '';
  const quiet = { signal: new AbortController().signal };
  const starve = () =>
    vi.spyOn(memory, 'allocate').mockImplementation(() => {
      return { buffer: new ArrayBuffer(2 ** 53 - 1), offset: 0, bytes: 0 }; // the engine's own refusal
    });
  const failing = startRun(tinyExperiment(folder), join(folder, 'runs'), {
    ...quiet,
    onStart: (writer) => (run = writer.folder),
    notify: (event) => {
      if (event.type === 'checkpoint' && ++updates === 3) starve();
    },
  });
  await expect(failing).rejects.toMatchObject({
    name: 'UserError',
    code: 'memory',
    message: expect.stringMatching(/^memory ran out in \w+.*: Array buffer allocation failed/),
    remedy: expect.stringMatching(/microBatchTokens.*checkpoint \S+ is kept/),
  });
  vi.restoreAllMocks();
  const { record } = openRun(run);
  expect(record.state).toBe('failed');
  expect(record.checkpoints.length).toBeGreaterThan(0);
  await resumeRun(run, { ...quiet, notify: () => {} });
  expect(readSummary(run).length).toBe(5);
});
