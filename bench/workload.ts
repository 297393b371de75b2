/** The work of bench/engine.ts: a train step and a generation of a small Qwen2 by the code of training. */
import type { Example } from '../src/engine-data/examples';
import type { ProductPrecision } from '../src/engine-data/training';
import { type BackendInfo, type BackendName, useBackend } from '../src/kernels/backends';
import { createOptimizer } from '../src/learning/optimizer';
import { supervisedStep } from '../src/learning/supervised';
import { createModel } from '../src/model/transformer';
import { Random } from '../src/random';
import { sample } from '../src/rollout/sample';
import { parseModelConfig } from '../src/student-files/config';

export const config = parseModelConfig({
  model_type: 'qwen2',
  architectures: ['Qwen2ForCausalLM'],
  hidden_size: 256,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 704,
  vocab_size: 512,
  max_position_embeddings: 512,
  rope_theta: 1e6,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: true,
  hidden_act: 'silu',
});

export const shape = { rows: 16, trainTokens: 128, promptTokens: 16, newTokens: 128 };
export const modelSeed = 1;

const randomRows = (seed: number, length: number): number[][] => {
  const random = new Random(seed);
  return Array.from({ length: shape.rows }, () =>
    Array.from({ length }, () => random.integer(0, config.vocabSize - 1)),
  );
};

/** One token more than the model reads, as the last one is only a target. */
export const sequences = randomRows(1, shape.trainTokens + 1);
export const prompts = randomRows(2, shape.promptTokens);

/** A contender of the comparison. Each call does the work once. */
export interface Contender {
  /** Of the products in a train step, and of the weights in generation. */
  precision: ProductPrecision;
  train(): Promise<{ ms: number; loss: number }>;
  generate(): Promise<{ ms: number; tokens: number }>;
}

/** The engine on a backend. Each call first makes this backend the current one. */
export async function openEngine(
  name: BackendName,
  precision: ProductPrecision = 'float32',
): Promise<Contender & { info: BackendInfo }> {
  const info = await useBackend(name);
  const model = createModel(config, modelSeed);
  const optimizer = createOptimizer(model);
  const examples: Example[] = sequences.map(([first, ...rest]) => ({ prompt: [first], completion: rest }));
  const training = { dropout: 0, microBatchTokens: 4096, weightDecay: 0.01, maxGradNorm: 0, precision };
  const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0 };
  let seed = 0;
  return {
    info,
    precision,
    async train() {
      await useBackend(name);
      const started = performance.now();
      const { loss } = await supervisedStep(model, optimizer, examples, 1e-3, training, seed++);
      return { ms: performance.now() - started, loss };
    },
    async generate() {
      await useBackend(name);
      const started = performance.now();
      const { summary } = await sample(model, prompts, {
        sampling,
        precision,
        maxNewTokens: shape.newTokens,
        eosIds: [],
        seed: seed++,
      });
      return { ms: performance.now() - started, tokens: summary.newTokens };
    },
  };
}
