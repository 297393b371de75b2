import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Diverged, type GrpoOptions } from '../../engine-data/training';
import { plainGrpo } from '../../learning/testing/settings';
import { packageRoot } from '../../paths';
import type { GrpoUpdate } from '../port';
import { ProcessEngine } from './engine';
import { stepsOf } from './student';

const program = join(packageRoot(), 'test', 'engines', 'fake-engine.mjs');
const folder = join(packageRoot(), 'examples', 'arithmetic', 'student');
const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0 };
const started: ProcessEngine[] = [];

async function start(...faults: string[]) {
  const engine = await ProcessEngine.start(
    { line: [process.execPath, program, ...faults], origin: 'a test' },
    { client: '0' },
  );
  started.push(engine);
  return engine;
}

const grpo: GrpoOptions = {
  ...plainGrpo,
  loss: 'dapo',
  iterations: 2,
  minibatches: 2,
  replayWeight: 1,
  microBatchTokens: 100,
};
const episode = (advantage: number, masked = false) => ({
  prompt: [1, 2],
  completion: [3],
  logProbs: Float32Array.of(-0.5),
  advantage,
  masked,
});
const update = (...episodes: ReturnType<typeof episode>[]): GrpoUpdate => ({
  episodes,
  replay: [],
  reference: null,
  learningRate: 1e-3,
  seed: 1,
});

afterEach(async () => {
  for (const engine of started.splice(0)) await engine.close();
});

describe('an engine in a process', () => {
  it('describes itself, and opens a student', async () => {
    const engine = await start();
    expect(engine.info).toMatchObject({ name: 'torch', description: 'fake-engine 0 on the CPU', device: 'cpu' });
    const student = await engine.open(folder, { lora: null, seed: 1 });
    expect(student.facts.vocabSize).toBeGreaterThan(0);
    await student.dispose();
  });

  it('samples groups in their order', async () => {
    const student = await (await start()).open(folder, { lora: null, seed: 1 });
    const drafts: number[] = [];
    const { completions, summary } = await student.sample([[5, 6, 7], [8]], {
      sampling: greedy,
      maxNewTokens: 4,
      eosIds: [1],
      seed: 1,
      groupSize: 2,
      progress: (all) => drafts.push(all.length),
    });
    expect(completions.map(({ prompt, completion }) => [prompt, completion])).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    expect(completions.every(({ tokens, logProbs, finished }) => finished && tokens.length === logProbs.length)).toBe(
      true,
    );
    expect(summary).toMatchObject({ promptTokens: 4, newTokens: completions.flatMap(({ tokens }) => tokens).length });
    expect(drafts.at(-1)).toBe(4);
    const long = Array.from({ length: student.facts.maxPositions }, () => 5);
    await expect(student.sample([long], { sampling: greedy, maxNewTokens: 4, eosIds: [1], seed: 1 })).rejects.toThrow(
      'leaves no room for an answer',
    );
  });

  it('counts the steps that had a gradient', async () => {
    const student = await (await start()).open(folder, { lora: null, seed: 1 });
    await student.supervisedStep([episode(0)], { ...grpo, learningRate: 1e-3, seed: 1 });
    expect(student.optimizerStep).toBe(1);
    const { loss, perToken } = await student.grpoStep(update(episode(1), episode(-1)), grpo);
    expect(loss).toBeNaN();
    expect(perToken).toEqual({ entropy: [Float32Array.of(1.25), Float32Array.of(1.25)], refLogProbs: null });
    expect(student.optimizerStep).toBe(5);
    await student.restartOptimizer();
    expect(student.optimizerStep).toBe(0);
    // Of two mini-batches (every second episode) only one has an advantage; and none when all are flat.
    expect(stepsOf(update(episode(0), episode(1), episode(0)), grpo)).toBe(2);
    expect(stepsOf(update(episode(0), episode(1, true)), grpo)).toBe(0);
    expect(stepsOf(update(episode(0), episode(1, true)), { ...grpo, beta: 0.1 })).toBe(2);
    expect(stepsOf({ ...update(episode(0)), replay: [episode(0)] }, grpo)).toBe(4);
  });

  it('keeps weights, and refuses those of another engine', async () => {
    const student = await (await start()).open(folder, { lora: null, seed: 1 });
    const before = await student.loss([episode(0)], { microBatchTokens: 100 });
    const kept = await student.snapshot();
    await student.supervisedStep([episode(0)], { ...grpo, learningRate: 1e-3, seed: 1 });
    expect(await student.loss([episode(0)], { microBatchTokens: 100 })).toBeLessThan(before);
    const reference = { ...update(episode(1)), reference: kept };
    const { perToken } = await student.grpoStep(reference, { ...grpo, beta: 0.1 });
    expect(perToken.refLogProbs).toEqual([Float32Array.of(-0.75)]);
    await student.restore(kept);
    expect(await student.loss([episode(0)], { microBatchTokens: 100 })).toBe(before);
    await kept.discard();
    await expect(student.restore({ discard: async () => {} })).rejects.toThrow('of another engine');
  });

  it('starts again after it was lost, when a student is opened', async () => {
    const engine = await start('exit@loss');
    const student = await engine.open(folder, { lora: null, seed: 1 });
    const first = engine.pid;
    await expect(student.loss([episode(0)], { microBatchTokens: 100 })).rejects.toMatchObject({ name: 'EngineLost' });
    await student.dispose();
    const again = await engine.open(folder, { lora: null, seed: 1 });
    expect(engine.pid).not.toBe(first);
    expect(again.facts).toEqual(student.facts);
  });

  it('reports divergence like the embedded engine, and refuses a file', async () => {
    const engine = await start('diverged@supervisedStep');
    const student = await engine.open(folder, { lora: null, seed: 1 });
    const step = student.supervisedStep([episode(0)], { ...grpo, learningRate: 1e-3, seed: 1 });
    await expect(step).rejects.toBeInstanceOf(Diverged);
    expect(student.optimizerStep).toBe(0);
    await expect(engine.open(program, { lora: null, seed: 1 })).rejects.toMatchObject({
      message: 'this engine reads Hugging Face folders, and this is a file',
    });
  });
});
