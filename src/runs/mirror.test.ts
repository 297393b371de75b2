import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { mirrorRun } from './mirror';
import { openRun } from './reading';
import { createRun, type RunWriter } from './writer';

let folder: string;
let run: RunWriter;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distillery-mirror-'));
  run = createRun(join(folder, 'runs'), 'one', {});
});
afterEach(() => {
  run.close({ state: 'stopped' });
  rmSync(folder, { recursive: true, force: true });
});

const put = (name: string, text: string) => writeFileSync(join(run.folder, name), text);

it('copies new and changed files, run.json last, and removes deleted ones', () => {
  const copy = join(folder, 'bucket', 'one');
  mkdirSync(join(run.folder, 'checkpoints', 'sft-1'), { recursive: true });
  put('checkpoints/sft-1/model.safetensors', 'weights');
  put('metrics.jsonl', 'a\nb\n');
  put('summary.json.draft', 'half');
  mirrorRun(run.folder, copy);
  expect(openRun(copy).record.name).toBe('one');
  expect(readdirSync(copy).sort()).toEqual(
    readdirSync(run.folder)
      .filter((name) => !/lock|draft/.test(name))
      .sort(),
  );
  expect(readFileSync(join(copy, 'checkpoints', 'sft-1', 'model.safetensors'), 'utf8')).toBe('weights');
  expect(statSync(join(copy, 'run.json')).mtimeMs).toBeGreaterThanOrEqual(
    statSync(join(copy, 'metrics.jsonl')).mtimeMs,
  );
  expect(mirrorRun(run.folder, copy)).toBe(0);

  // A run that went back to a checkpoint: its records are shorter, and a checkpoint is gone.
  put('metrics.jsonl', 'a\n');
  rmSync(join(run.folder, 'checkpoints', 'sft-1'), { recursive: true });
  run.update({ state: 'running' });
  expect(mirrorRun(run.folder, copy)).toBe(2);
  expect(readFileSync(join(copy, 'metrics.jsonl'), 'utf8')).toBe('a\n');
  expect(readdirSync(join(copy, 'checkpoints', 'sft-1'))).toEqual([]);
  expect(openRun(copy).record.state).toBe('running');
});
