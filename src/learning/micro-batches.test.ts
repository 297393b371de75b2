import { beforeAll, expect, it } from 'vitest';
import type { Episode } from '../engine-data/examples';
import type { GrpoOptions } from '../engine-data/training';
import { useBackend } from '../kernels/backends';
import type { LossType } from '../losses';
import { createModel, disposeModel } from '../model/transformer';
import { parseModelConfig } from '../student-files/config';
import { tinyConfig } from '../student-files/testing/tiny';
import { grpoStep } from './grpo';
import { createOptimizer, disposeOptimizer } from './optimizer';
import { plainGrpo } from './testing/settings';

beforeAll(async () => {
  await useBackend('embedded');
});

const examples = [
  { prompt: [1, 2, 3], completion: [4, 5, 0] },
  { prompt: [6], completion: [7, 8, 9, 10, 0] },
  { prompt: [3, 3], completion: [11, 0] },
  { prompt: [5, 9], completion: [12, 13, 14, 15, 16, 17] },
];
const episodes = examples.map(
  (example, i): Episode => ({
    ...example,
    logProbs: new Float32Array(example.completion.length).fill(-4),
    advantage: [1, -1, 0.5, -0.7][i],
    masked: i === 3,
  }),
);

/** The first moments after one step, which are the gradients times 1 - beta1. */
async function gradients(loss: LossType, microBatchTokens: number): Promise<number[]> {
  const model = createModel(parseModelConfig(tinyConfig('qwen2')), 5);
  const [optimizer, reference] = [createOptimizer(model), createModel(model.config, 6)];
  const options: GrpoOptions = { ...plainGrpo, microBatchTokens, maxGradNorm: 0, loss, beta: 0.05, temperature: 0.9 };
  const update = { episodes, replay: examples, reference, learningRate: 1e-3, seed: 3 };
  await grpoStep(model, optimizer, update, options);
  const values = [...optimizer.moments.values()].flatMap(({ first }) => [...first.dataSync()]);
  disposeOptimizer(optimizer);
  disposeModel(reference);
  disposeModel(model);
  return values.map((value) => value / (1 - 0.9));
}

it.each(['grpo', 'dr_grpo', 'dapo', 'gspo', 'cispo', 'sapo'] as const)(
  '%s: micro-batches add up to the gradient of the batch',
  async (loss) => {
    const whole = await gradients(loss, 1000);
    expect(Math.max(...whole.map(Math.abs))).toBeGreaterThan(1e-2);
    for (const tokens of [1, 8, 14]) {
      const parts = await gradients(loss, tokens);
      expect(Math.max(...whole.map((value, i) => Math.abs(value - parts[i])))).toBeLessThan(1e-5);
    }
  },
);
