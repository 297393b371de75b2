import { findBackend, type Tensor } from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { defaultLora } from '../../config/lora';
import { type Learner, totalOf } from '../../engine-data/memory';
import type { GrpoOptions } from '../../engine-data/training';
import { useBackend } from '../../kernels/backends';
import type { EmbeddedBackend } from '../../kernels/embedded/backend';
import { grpoStep } from '../../learning/grpo';
import { createOptimizer, disposeOptimizer } from '../../learning/optimizer';
import { supervisedStep } from '../../learning/supervised';
import { plainGrpo } from '../../learning/testing/settings';
import { createAdapter } from '../../model/lora';
import { copyModel } from '../../model/testing/copy';
import { createModel, disposeModel, type Model } from '../../model/transformer';
import { sample } from '../../rollout/sample';
import { type ModelConfig, parseModelConfig } from '../../student-files/config';
import { tinyConfig } from '../../student-files/testing/tiny';
import { generationMemory, updateMemory } from './memory';

const shape = {
  hidden_size: 96,
  num_hidden_layers: 4,
  head_dim: 24,
  intermediate_size: 256,
  vocab_size: 2000,
  max_position_embeddings: 256,
};
const prompt = 40;
const completion = 41;
const ids = (count: number) => Array.from({ length: count }, (_, i) => (37 * i + 11) % shape.vocab_size);

const embedded = () => findBackend('embedded') as EmbeddedBackend;

/** The most that the kernels' memory held while `action` ran, and the tensors that lie outside of it. */
async function peakOf(models: Model[], action: () => unknown): Promise<number> {
  const { memory } = embedded().library;
  const allocate = memory.allocate.bind(memory);
  let most = memory.usage().used;
  const watch = vi.spyOn(memory, 'allocate').mockImplementation((bytes) => {
    const block = allocate(bytes);
    most = Math.max(most, memory.usage().used);
    return block;
  });
  await action();
  watch.mockRestore();
  const tensors = models.flatMap(({ parameters, adapter }): Tensor[] => [
    ...parameters.values(),
    ...(adapter?.parameters.values() ?? []),
  ]);
  const outside = new Set(tensors.map((tensor) => embedded().values(tensor)).filter((values) => !memory.owns(values)));
  return [...outside].reduce((sum, { byteLength }) => sum + byteLength, most);
}

let release = () => {};
afterEach(() => release());

/** A student with a reference policy, used once, so that nothing is made for the first time when it is measured. */
async function learner(config: ModelConfig, lora: Learner['lora']) {
  const model = createModel(config, 1);
  if (lora) model.adapter = createAdapter(config, { ...defaultLora, ...lora }, { path: '', fingerprint: '' }, 1);
  const [reference, optimizer] = [copyModel(model), createOptimizer(model)];
  const supervised = { dropout: 0, weightDecay: 0.01, maxGradNorm: 1, checkpointing: false };
  await supervisedStep(model, optimizer, examplesOf(1), 1e-4, { ...supervised, microBatchTokens: 8192 }, 1);
  release = () => {
    disposeOptimizer(optimizer);
    disposeModel(reference);
    disposeModel(model);
  };
  return { model, reference, optimizer, supervised };
}

const examplesOf = (batch: number) =>
  // All prompts differ, because equal prompts of a group would be read only once.
  Array.from({ length: batch }, (_, i) => ({ prompt: [i, ...ids(prompt - 1)], completion: ids(completion) }));

function expectNear(estimate: number, measured: number): void {
  expect(estimate / measured).toBeGreaterThan(0.97);
  expect(estimate / measured).toBeLessThan(1.2);
}

describe.each([
  ['llama', null],
  ['llama', { rank: 16, targets: defaultLora.targets }],
  ['qwen2', null],
  ['qwen3', { rank: 4, targets: ['q', 'v'] as ('q' | 'v')[] }],
  ['mistral', null],
] as const)('a %s with adapter %j', (type, lora) => {
  beforeAll(async () => {
    await useBackend('embedded');
  });
  const config = parseModelConfig(tinyConfig(type, shape));
  const subject: Learner = { lora: lora as Learner['lora'], copies: 1 };

  it.each([
    [2, 1, 0, false],
    [16, 1, 0.1, false],
    [16, 4, 0, false],
    [16, 2, 0.1, true],
  ])(
    'a batch of %i in %i micro-batches, dropout %f, checkpointing %s',
    async (batch, parts, dropout, checkpointing) => {
      const { model, reference, optimizer, supervised } = await learner(config, subject.lora);
      const microBatchTokens = (batch / parts) * (prompt + completion);
      const options = { ...supervised, dropout, microBatchTokens, checkpointing };
      const pass = {
        tokens: microBatchTokens,
        targets: (batch / parts) * completion,
        accumulated: parts > 1,
        checkpointing,
      };
      const models = [model, reference];
      const estimate = totalOf(updateMemory(config, subject, pass));
      expectNear(
        estimate,
        await peakOf(models, () => supervisedStep(model, optimizer, examplesOf(batch), 1e-4, options, 1)),
      );

      const grpo: GrpoOptions = {
        ...plainGrpo,
        ...options,
        beta: 0.02,
        maxNewTokens: completion,
        replayWeight: 0.1,
      };
      const episodes = examplesOf(batch).map((example, i) => ({
        ...example,
        logProbs: new Float32Array(completion).fill(-7),
        advantage: i % 2 ? 1 : -1,
        masked: false,
      }));
      const update = { episodes, reference, learningRate: 1e-5, seed: 1 };
      expectNear(estimate, await peakOf(models, () => grpoStep(model, optimizer, update, grpo)));
    },
  );

  it('generating completions', async () => {
    const { model, reference } = await learner(config, subject.lora);
    const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0 };
    const prompts = [ids(prompt), ids(prompt - 4), ids(prompt - 9)];
    const options = { sampling, maxNewTokens: 60, eosIds: [], seed: 1, groupSize: 8, maxRows: 24 };
    const measured = await peakOf([model, reference], () => sample(model, prompts, options));
    const generation = { rows: 24, prompts: 3, promptTokens: prompt, newTokens: 60 };
    expectNear(totalOf(generationMemory(config, subject, generation, true)), measured);
  });
});
