import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { memory } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExperimentInput } from '../../config/experiment';
import { loadStudent } from '../../model/hf-folder';
import { disposeModel } from '../../model/transformer';
import { openRun, readMetrics, readRollouts, readSummary } from '../../runs/reading';
import type { CurriculumEvent } from '../context';
import { resumeRun, type SessionOptions, startRun } from '../session';
import { stopAfter, tinyExperiment, tinyWorkspace } from '../testing/tiny';

let folder = '';
let whole = '';
let before = '';
const quiet = { notify: () => {}, signal: new AbortController().signal };
const lora = { rank: 3, alpha: 6, dropout: 0.1 };

const start = (options: Partial<SessionOptions> = {}, changes: Partial<ExperimentInput> = {}) =>
  startRun(tinyExperiment(folder, { student: { path: 'student', lora }, ...changes }), join(folder, 'runs'), {
    ...quiet,
    ...options,
  });
const hash = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
const checkpoint = (run: string, name: string) => join(run, 'checkpoints', name);
const metrics = (run: string) => readMetrics(run).map(({ time: _, tokensPerSecond: __, ...rest }) => rest);

beforeAll(async () => {
  folder = await tinyWorkspace();
  before = hash(join(folder, 'student', 'model.safetensors'));
  whole = (await start()).folder;
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a run with an adapter', () => {
  it('runs all three stages and does not change the base', () => {
    expect(readSummary(whole).map(({ stage }) => stage)).toEqual(['base', 'sft', 'reconstruct', 'complete', 'rewrite']);
    expect(hash(join(folder, 'student', 'model.safetensors'))).toBe(before);
    for (const line of readMetrics(whole)) expect(Number.isFinite(line.gradNorm)).toBe(true);
    const first = readMetrics(whole).filter(({ stage }) => stage === 'complete')[0];
    expect(first.kl).toBeCloseTo(0, 4); // the reference is the student at the start of the stage: Stage 1's adapter
    for (const { name } of openRun(whole).record.checkpoints) {
      const files = readdirSync(checkpoint(whole, name));
      expect(files).toContain('adapter_model.safetensors');
      expect(files).not.toContain('model.safetensors');
    }
  });

  it('writes checkpoints that load as students, with the very weights of the base', () => {
    const { model: base } = loadStudent(join(folder, 'student'));
    const { model, tokenizer } = loadStudent(checkpoint(whole, 'rewrite-7'));
    expect(tokenizer.decode(tokenizer.encode('Step 1'))).toBe('Step 1');
    expect(model.adapter?.settings).toMatchObject({ ...lora, targets: ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] });
    for (const [name, parameter] of base.parameters)
      expect(model.parameters.get(name)!.dataSync()).toEqual(parameter.dataSync());
    disposeModel(base);
    disposeModel(model);
  });

  it.each([5, 11])(
    'gives the same result when it is stopped after %i updates and resumed, and leaves no tensors',
    async (updates) => {
      const tensors = memory().numTensors;
      const run = await stopAfter(updates, start);
      const notes: string[] = [];
      const told = (event: CurriculumEvent) => event.type === 'note' && notes.push(event.text);
      await resumeRun(run, { ...quiet, notify: told });
      expect(memory().numTensors).toBe(tensors);
      expect(notes.join()).toContain('needs about');
      expect(metrics(run)).toEqual(metrics(whole));
      expect(readRollouts(run, 'rewrite', 3)).toEqual(readRollouts(whole, 'rewrite', 3));
      const last = (of: string) => hash(join(checkpoint(of, 'rewrite-7'), 'adapter_model.safetensors'));
      expect(last(run)).toBe(last(whole));
    },
  );

  it('continues the adapter of a checkpoint, or merges it', async () => {
    const from = checkpoint(whole, 'rewrite-7');
    const stages = { reconstruct: { updates: 1, batch: 2 }, complete: false, rewrite: false } as const;
    const notes: string[] = [];
    const notify = (event: CurriculumEvent) => {
      if (event.type === 'note') notes.push(event.text);
    };
    const student = { path: from, lora: { rank: 2 } };
    const again = await start({ notify }, { student, stages, baselines: { sft: false } });
    expect(notes.join()).toContain('student.lora.rank, alpha are as in its files');
    const { model } = loadStudent(checkpoint(again.folder, 'reconstruct-1'));
    expect(model.adapter?.settings.rank).toBe(3);
    expect(model.adapter?.base.path).toBe(join(folder, 'student'));
    disposeModel(model);
    const plain = await start({}, { student: { path: from, lora: false }, stages, baselines: { sft: false } });
    expect(existsSync(join(checkpoint(plain.folder, 'reconstruct-1'), 'model.safetensors'))).toBe(true);
    expect(plain.rows[0].accuracy).toBe(again.rows[0].accuracy);
    expect(plain.rows[0].meanTokens).toBe(again.rows[0].meanTokens);
  });
});
