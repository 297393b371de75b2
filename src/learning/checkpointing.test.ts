import { keep, memory, tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultLora } from '../config/lora';
import type { Episode } from '../engine-data/examples';
import type { GrpoOptions } from '../engine-data/training';
import { useBackend } from '../kernels/backends';
import { tensorFlowIsSetUp } from '../kernels/testing/backends';
import { createAdapter } from '../model/lora';
import { createModel, disposeModel } from '../model/transformer';
import { parseModelConfig } from '../student-files/config';
import { modelTypes } from '../student-files/families';
import { type TinyType, tinyConfig } from '../student-files/testing/tiny';
import { grpoStep } from './grpo';
import { createOptimizer, disposeOptimizer, type Gradients } from './optimizer';
import { accumulateSupervised } from './supervised';
import { plainGrpo } from './testing/settings';

const settings = { dropout: 0.2, microBatchTokens: 20, weightDecay: 0.01, maxGradNorm: 1 };
const examples = [
  { prompt: [1, 2, 3], completion: [4, 5, 0] },
  { prompt: [6], completion: [7, 8, 9, 10, 0] },
  { prompt: [3, 3], completion: [11, 0] },
];

/** A student trained whole, or one whose adapter is not zero any more. */
function student(type: TinyType, adapted: boolean) {
  const model = createModel(parseModelConfig(tinyConfig(type, { num_hidden_layers: 3 })), 5);
  const base = { path: '', fingerprint: '' };
  if (!adapted) return model;
  const lora = { ...defaultLora, rank: 3, dropout: 0.1 };
  model.adapter = createAdapter(model.config, lora, base, 1);
  for (const [name, parameter] of model.adapter.parameters) {
    if (!name.endsWith('lora_B.weight')) continue;
    const values = parameter.dataSync<'float32'>().map((_, i) => 0.1 * Math.sin(i + 1));
    model.adapter.parameters.set(name, keep(tensor(values, parameter.shape)));
    parameter.dispose();
  }
  return model;
}

describe.each([
  ...modelTypes.map((type) => ['embedded', type, false] as const),
  ['embedded', 'qwen2', true],
  ['embedded-wasm', 'qwen3', true],
  ['cpu', 'qwen2', false],
  ...(tensorFlowIsSetUp() ? ([['tensorflow', 'qwen2', true]] as const) : []),
] as const)('on %s, a %s with adapter: %s', (backend, type, adapted) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it('gives the same gradients as without it, with dropout and micro-batches, and leaves no tensor', async () => {
    const model = student(type, adapted);
    const before = memory().numTensors;
    const gradientsWith = async (checkpointing: boolean) => {
      const gradients: Gradients = new Map();
      const loss = await accumulateSupervised(model, gradients, examples, { ...settings, checkpointing }, 7);
      const values = new Map([...gradients].map(([name, gradient]) => [name, [...gradient.dataSync()]]));
      for (const gradient of gradients.values()) gradient.dispose();
      return { loss, values };
    };
    await gradientsWith(false); // makes the RoPE tables
    const tensors = memory().numTensors;
    const [plain, again] = [await gradientsWith(false), await gradientsWith(true)];
    expect(memory().numTensors).toBe(tensors);
    expect(tensors - before).toBeLessThanOrEqual(2 * model.config.ropes.length);
    expect(again.loss).toBe(plain.loss);
    expect([...again.values.keys()]).toEqual([...plain.values.keys()]);
    let largest = 0;
    for (const [name, values] of plain.values)
      values.forEach((value, i) => {
        largest = Math.max(largest, Math.abs(value));
        expect(Math.abs(value - again.values.get(name)![i])).toBeLessThan(1e-6);
      });
    expect(largest).toBeGreaterThan(1e-3);
    disposeModel(model);
  });

  it('makes the same GRPO update', async () => {
    const options: GrpoOptions = { ...plainGrpo, ...settings, loss: 'dapo' };
    const episodes: Episode[] = examples.map((example, i) => ({
      ...example,
      logProbs: new Float32Array(example.completion.length).fill(-4),
      advantage: i - 1,
      masked: false,
    }));
    const update = async (checkpointing: boolean) => {
      const model = student(type, adapted);
      const optimizer = createOptimizer(model);
      const update = { episodes, replay: examples, learningRate: 1e-2, seed: 3 };
      const measures = await grpoStep(model, optimizer, update, { ...options, checkpointing });
      disposeOptimizer(optimizer);
      disposeModel(model);
      return measures;
    };
    const [plain, again] = [await update(false), await update(true)];
    expect(again.gradNorm).toBeCloseTo(plain.gradNorm!, 6);
    expect(again.loss).toBeCloseTo(plain.loss, 6);
    expect(plain.gradNorm).toBeGreaterThan(0);
  });
});
