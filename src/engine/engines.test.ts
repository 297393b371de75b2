import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { tinyConfig } from '../student-files/testing/tiny';
import { whyTorch } from './engines';
import { engineRecord, type InstalledEngine } from './process/installed';

const scratch = mkdtempSync(join(tmpdir(), 'distillery-engines-'));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(scratch, { recursive: true }));

function student(name: string, config: object): string {
  const folder = join(scratch, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}

it('"auto" chooses PyTorch for families that only it supports, and on a GPU for large students', () => {
  const small = student('small', tinyConfig('llama'));
  const large = student('large', tinyConfig('llama', { vocab_size: 300_000, hidden_size: 192, head_dim: 48 }));
  const foreign = student('foreign', { ...tinyConfig('llama'), model_type: 'gemma2' });
  const students = [small, large, foreign];
  vi.stubEnv('DISTILLERY_ENGINE', '');
  vi.stubEnv('DISTILLERY_ENGINE_HOME', scratch);
  expect(students.map(whyTorch)).toEqual([null, null, null]);
  const family = expect.stringContaining('family');
  for (const [accelerator, why] of [
    ['cpu', null],
    ['cuda', 'PyTorch is set up for a GPU, and the student is large'],
  ] as const) {
    const made: InstalledEngine = {
      version: 1,
      python: process.execPath,
      own: false,
      accelerator,
      vllm: false,
      versions: {},
      description: 'a test',
      tokensPerSecond: 1,
      installedAt: '2026-01-01T00:00:00.000Z',
    };
    writeFileSync(engineRecord(scratch), JSON.stringify(made));
    expect(students.map(whyTorch)).toEqual([null, why, family]);
  }
});
