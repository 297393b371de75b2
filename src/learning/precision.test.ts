import { beforeAll, describe, expect, it } from 'vitest';
import type { ProductPrecision } from '../engine-data/training';
import { useBackend } from '../kernels/backends';
import { createModel, disposeModel } from '../model/transformer';
import { Random } from '../random';
import { parseModelConfig } from '../student-files/config';
import { tinyConfig } from '../student-files/testing/tiny';
import { createOptimizer, disposeOptimizer, type Gradients } from './optimizer';
import { accumulateSupervised, supervisedStep } from './supervised';

const config = parseModelConfig(
  tinyConfig('qwen2', { hidden_size: 64, num_hidden_layers: 3, intermediate_size: 150, vocab_size: 90 }),
);
const random = new Random(4);
/** Sequences with something to learn: each token is the one before it plus 7. */
const examples = Array.from({ length: 8 }, () => {
  const first = random.integer(0, 89);
  return { prompt: [first], completion: Array.from({ length: 20 }, (_, i) => (first + 7 * (i + 1)) % 90) };
});
const options = { dropout: 0, microBatchTokens: 4096, weightDecay: 0, maxGradNorm: 1 };

async function gradients(precision: ProductPrecision): Promise<Float32Array[]> {
  const model = createModel(config, 1);
  const sum: Gradients = new Map();
  await accumulateSupervised(model, sum, examples, { ...options, precision }, 1);
  const values = [...sum.values()].map((gradient) => {
    const data = gradient.dataSync<'float32'>();
    gradient.dispose();
    return data;
  });
  disposeModel(model);
  return values;
}

async function losses(precision: ProductPrecision): Promise<number[]> {
  const model = createModel(config, 1);
  const optimizer = createOptimizer(model);
  const all: number[] = [];
  for (let step = 0; step < 60; step++)
    all.push((await supervisedStep(model, optimizer, examples, 3e-3, { ...options, precision }, step)).loss);
  disposeOptimizer(optimizer);
  disposeModel(model);
  return all;
}

describe('training with products in bfloat16', () => {
  beforeAll(async () => {
    await useBackend('embedded');
  });

  it('its gradients have the direction of those in float32, and are the same each time', async () => {
    const [plain, rounded, again] = [
      await gradients('float32'),
      await gradients('bfloat16'),
      await gradients('bfloat16'),
    ];
    expect(rounded).toEqual(again);
    for (const [i, gradient] of plain.entries()) {
      const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, j) => sum + value * b[j], 0);
      const cosine = dot(gradient, rounded[i]) / Math.sqrt(dot(gradient, gradient) * dot(rounded[i], rounded[i]));
      expect(cosine).toBeGreaterThan(0.998);
      expect(rounded[i]).not.toEqual(gradient);
    }
  });

  it('it learns as it does in float32', async () => {
    const [plain, rounded] = [await losses('float32'), await losses('bfloat16')];
    expect(plain.at(-1)!).toBeLessThan(0.5 * plain[0]);
    for (const [step, loss] of plain.entries()) expect(Math.abs(rounded[step] - loss)).toBeLessThan(0.02 + 0.05 * loss);
  });
});
