import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import type { ExperimentInput } from '../../config/experiment';
import { defaultLora } from '../../config/lora';
import { memoryModel } from '../../engine/embedded/memory';
import { machineMemory, memoryLimits } from '../../engine/embedded/memory-limits';
import { packageRoot } from '../../paths';
import { parseModelConfig } from '../../student-files/config';
import { loadStudentTokenizer } from '../../student-files/folder';
import { tinyExperiment } from '../testing/tiny';
import { checkMemory, longestOf, peakOf, remedies, settleMemory } from './memory';

/** The shape of SmolLM2-135M. */
const config = parseModelConfig({
  model_type: 'llama',
  hidden_size: 576,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  intermediate_size: 1536,
  vocab_size: 49152,
  max_position_embeddings: 8192,
  tie_word_embeddings: true,
});
const sizes = { model: memoryModel(config, 'embedded'), lengths: { question: 120, chain: 250, exercise: 370 } };
const supervised = { updates: 3, batch: 32 };
const grpo = { updates: 3, prompts: 16, group: 8, maxNewTokens: 384 };
const of = (lora: object | false, changes = {}) =>
  tinyExperiment('/nowhere', {
    student: { path: 'student', lora },
    stages: { reconstruct: { ...supervised, ...changes }, complete: { ...grpo, ...changes }, rewrite: false },
    baselines: { sft: false },
  });
const stage = (experiment: ReturnType<typeof of>) => experiment.stages.complete || undefined;

afterEach(() => vi.unstubAllEnvs());

it('"auto" settles on numbers that depend on the student alone, and settled ones stay', () => {
  const settled = settleMemory(of({}), sizes);
  expect(stage(settled)).toMatchObject({ microBatchTokens: 1024, checkpointing: false });
  vi.stubEnv('DISTILLERY_MEMORY_LIMIT', '100');
  expect(settleMemory(of({}), sizes)).toEqual(settled);
  expect(settleMemory(settled, sizes)).toEqual(settled);
  const given = settleMemory(of({}, { microBatchTokens: 3000, checkpointing: true }), sizes);
  expect(stage(given)).toMatchObject({ microBatchTokens: 3000, checkpointing: true });
  const small = { ...config, layers: 4, hiddenSize: 256, intermediateSize: 704, vocabSize: 512 };
  expect(stage(settleMemory(of(false), { ...sizes, model: memoryModel(small, 'embedded') }))).toMatchObject({
    microBatchTokens: 8192,
    checkpointing: false,
  });
  const long = settleMemory(of({}), { ...sizes, lengths: { question: 200, chain: 3000, exercise: 3200 } });
  expect(stage(long)).toMatchObject({ microBatchTokens: 8192, checkpointing: true });
});

it('counts thinking where it is learned or shown, which exercises do not', () => {
  const tokenizer = loadStudentTokenizer(join(packageRoot(), 'examples/arithmetic/student'));
  const row = (id: number, thought: number, steps: number) => ({
    id: `r${id}`,
    question: 'What is 1 + 1?',
    answer: '2',
    chain: `<think>\n${'So 1 + 1. '.repeat(thought)}\n</think>\n${Array.from({ length: steps }, (_, i) => `Step ${i + 1}: 1 + 1 = 2.`).join('\n')}\nAnswer: 2`,
  });
  const thoughtful = Array.from({ length: 40 }, (_, i) => row(i, 300, 2));
  const lengths = longestOf(thoughtful, tokenizer);
  expect(lengths.exercise).toBeLessThan(0.1 * lengths.chain);
  // The row with the most steps is not among those that are longest as text.
  expect(longestOf([...thoughtful, row(40, 0, 60)], tokenizer).exercise).toBeGreaterThan(5 * lengths.exercise);

  const needs = (stages: ExperimentInput['stages'], exercise: number) => {
    const off = { reconstruct: false, complete: false, rewrite: false } as const;
    const settings = { student: { path: 'student', lora: {} }, baselines: { sft: false } } as const;
    const changes = { ...settings, stages: { ...off, ...stages }, evaluation: { maxNewTokens: 8, batch: 1 } };
    const experiment = tinyExperiment('/nowhere', changes);
    const long = { ...sizes, lengths: { question: 100, chain: 6000, exercise } };
    return peakOf(settleMemory(experiment, long), long).bytes;
  };
  const complete = { ...grpo, maxNewTokens: 100 };
  expect(needs({ complete }, 300)).toBeLessThan(0.5 * needs({ complete }, 6100));
  expect(needs({ reconstruct: supervised }, 300)).toBeLessThan(needs({ reconstruct: supervised }, 6100));
  expect(needs({ rewrite: complete }, 300)).toBe(needs({ rewrite: complete }, 6100)); // Stage 3 shows all of it
});

it('only sufficient remedies are proposed', () => {
  const settled = settleMemory(of(false, { microBatchTokens: 8192, checkpointing: false }), sizes);
  const needed = peakOf(settled, sizes).bytes;
  expect(needed).toBeGreaterThan(9e9);
  const found = remedies(settled, sizes, 0.75 * needed);
  expect(found[0]).toBe('"microBatchTokens": 512');
  expect(found).toContain('"checkpointing": true');
  expect(found).not.toContain('"student": {"lora": {}}'); // less, but not enough
  const adapted = { ...settled, student: { ...settled.student, lora: defaultLora } };
  expect(peakOf(adapted, sizes).bytes).toBeLessThan(needed);
  expect(remedies(settled, sizes, 1e8)).toEqual([]);
});

it('accounts for the test of the rewriter, whose prompts hold the teacher chains', () => {
  const changed = { prompts: 8, group: 8, maxNewTokens: 8 };
  const experiment = tinyExperiment('/nowhere', {
    student: { path: 'student', lora: {} },
    stages: { reconstruct: false, complete: false, rewrite: { ...grpo, ...changed, internalise: supervised } },
    baselines: { sft: false },
    evaluation: { maxNewTokens: 2000 },
  });
  const peak = peakOf(settleMemory(experiment, sizes), {
    ...sizes,
    lengths: { question: 20, chain: 3000, exercise: 3020 },
  });
  expect(peak).toMatchObject({ stage: 'rewrite', activity: 'testing' });
  expect(peak.memory.cache).toBeGreaterThan(64 * 5000 * 2 * 30 * 3 * 64 * 4);
});

it('warns if more memory is needed than is free, and refuses more than the machine has', () => {
  const settled = settleMemory(of(false), sizes);
  const { bytes } = peakOf(settled, sizes);
  expect(checkMemory(settled, sizes, { free: bytes, total: bytes }).level).toBe('info');
  const warning = checkMemory(settled, sizes, { free: bytes - 1e8, total: bytes });
  expect(warning.level).toBe('warning');
  expect(warning.text).toMatch(/needs about [\d.]+ GB of memory \(\w+, \w+\), [\d.]+ GB are free: Try "/);
  expect(() => checkMemory(settled, sizes, { free: 1e9, total: 2e9 })).toThrow(/there are only 2.0 GB/);
});

it('knows the limits of WebAssembly and of control groups of both versions', () => {
  expect(memoryLimits('embedded', 'simd128')!.total).toBeLessThanOrEqual(2 ** 32);
  expect(memoryLimits('tensorflow-gpu')).toBeNull();
  const folder = mkdtempSync(join(tmpdir(), 'distillery-groups-'));
  const group = (name: string, files: Record<string, string>) => {
    mkdirSync(join(folder, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text);
    return join(folder, name);
  };
  const second = group('second', {
    'memory.max': '1000000000\n',
    'memory.current': '700000000\n',
    'memory.stat': 'anon 5\ninactive_file 200000000\n',
  });
  const first = group('first', { 'memory.limit_in_bytes': '500000000\n', 'memory.usage_in_bytes': '100000000\n' });
  const free = group('free', { 'memory.max': 'max\n' });
  expect(machineMemory([second, free])).toEqual({ total: 1e9, free: 5e8 });
  expect(machineMemory([second, first])).toEqual({ total: 5e8, free: 4e8 });
  expect(machineMemory([free]).total).toBeGreaterThan(1e9);
  rmSync(folder, { recursive: true });
});
