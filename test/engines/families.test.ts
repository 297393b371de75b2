/**
 * Model families that only the PyTorch engine supports: all stages of each on a small random student. `npm run
 * test:engines` runs it; DISTILLERY_PYTHON names a Python with torch, transformers and peft.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Experiment } from '../../src/config/experiment';
import { adjust } from '../../src/curriculum/adjust';
import { startRun } from '../../src/curriculum/session';
import { tinyExperiment, tinyWorkspace } from '../../src/curriculum/testing/tiny';
import { isEmbeddable } from '../../src/engine/engines';
import { askForEngine } from '../../src/engine/process/installed';
import { packageRoot } from '../../src/paths';
import { openRun, readMetrics, readSummary } from '../../src/runs/reading';
import { askForPython } from './ask';

const python = process.env.DISTILLERY_ENGINES === '1' ? process.env.DISTILLERY_PYTHON : undefined;
const families = ['gemma2', 'phi3', 'olmo2'] as const;
const tokenizerFiles = ['tokenizer.json', 'tokenizer_config.json'];

let folder = '';
const home = mkdtempSync(join(tmpdir(), 'distillery-engine-'));

beforeAll(async () => {
  if (!python) return;
  process.env.DISTILLERY_ENGINE_HOME = home;
  folder = await tinyWorkspace();
  askForPython(python);
  const { vocab_size } = JSON.parse(readFileSync(join(folder, 'student', 'config.json'), 'utf8'));
  for (const family of families) {
    const program = join(packageRoot(), 'scripts', 'fixtures', 'tiny_family.py');
    execFileSync(python, [program, family, String(vocab_size), join(folder, family)], { stdio: 'pipe' });
    for (const name of tokenizerFiles) cpSync(join(folder, 'student', name), join(folder, family, name));
  }
});
afterAll(() => {
  askForEngine(undefined);
  for (const scratch of [home, folder].filter(Boolean)) rmSync(scratch, { recursive: true, force: true });
});

/** A complete run on the PyTorch engine: its folder, and its notes. */
async function run(experiment: Experiment) {
  const notes: string[] = [];
  const { folder: made } = await startRun(experiment, join(folder, 'runs'), {
    signal: new AbortController().signal,
    notify: (event) => event.type === 'note' && notes.push(event.text),
  });
  expect(openRun(made).record.state).toBe('finished');
  return { made, notes };
}

describe.skipIf(!python)('a family that the PyTorch engine alone knows', () => {
  it.each(families)(
    '%s goes through all stages, whole and with an adapter, and on from a checkpoint',
    async (family) => {
      expect(isEmbeddable(join(folder, family))).toBe(false);
      const whole = tinyExperiment(folder, { backend: 'torch', student: { path: family } });
      const { made, notes } = await run(whole);
      expect(readSummary(made).map(({ stage }) => stage)).toEqual([
        'base',
        'sft',
        'reconstruct',
        'complete',
        'rewrite',
      ]);
      expect(notes.some((text) => /needs about \d+\.\d GB of memory/.test(text))).toBe(true);
      const gradients = readMetrics(made).flatMap(({ gradNorm }) => gradNorm ?? []);
      expect(gradients.every((norm) => Number.isFinite(norm))).toBe(true);
      expect(gradients.some((norm) => norm > 0)).toBe(true);

      const checkpoint = readSummary(made).find(({ stage }) => stage === 'reconstruct')!.checkpoint!;
      const from = join(made, 'checkpoints', checkpoint);
      const adapted = tinyExperiment(folder, {
        backend: 'auto',
        student: { path: family, lora: { rank: 4, targets: ['q', 'o', 'down'] } },
      });
      const goneOn = await run(adjust(adapted, { from, stage: ['complete'] }));
      expect(readSummary(goneOn.made).at(-1)?.stage).toBe('complete');
      const other = join(folder, families.find((one) => one !== family)!);
      expect(() => adjust(adapted, { from: other })).toThrow('another shape than the student');
    },
  );
});
