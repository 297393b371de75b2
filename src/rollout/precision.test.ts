import { keep, mul } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Episode } from '../engine-data/examples';
import type { WeightPrecision } from '../engine-data/sampling';
import { useBackend } from '../kernels/backends';
import { grpoStep, policyLogProbs } from '../learning/grpo';
import { createOptimizer, disposeOptimizer } from '../learning/optimizer';
import { plainGrpo } from '../learning/testing/settings';
import { createModel, disposeModel, type Model } from '../model/transformer';
import { parseModelConfig } from '../student-files/config';
import { tinyConfig } from '../student-files/testing/tiny';
import { sample } from './sample';

const config = parseModelConfig(
  tinyConfig('qwen2', { hidden_size: 128, num_hidden_layers: 4, intermediate_size: 300, vocab_size: 700 }),
);
const prompts = [
  [3, 1, 4, 1, 5],
  [9, 2, 6],
];

/** A student of weights as large as trained ones are, so that rounding them shows. */
function student(): Model {
  const model = createModel(config, 1);
  for (const [name, parameter] of model.parameters) {
    if (name.endsWith('norm.weight') || name.endsWith('.bias')) continue;
    model.parameters.set(name, keep(mul(parameter, 4)));
    parameter.dispose();
  }
  return model;
}

async function episodesAt(model: Model, precision: WeightPrecision): Promise<Episode[]> {
  const { completions } = await sample(model, prompts, {
    sampling: { temperature: 1, topK: 0, topP: 1, minP: 0 },
    maxNewTokens: 40,
    eosIds: [],
    seed: 5,
    groupSize: 4,
    precision,
  });
  return completions.map(({ prompt, tokens, logProbs }, i) => ({
    prompt: prompts[prompt],
    completion: tokens,
    logProbs,
    advantage: i % 2 ? 1 : -1,
    masked: false,
  }));
}

describe('sampling with rounded weights', () => {
  beforeAll(async () => {
    await useBackend('embedded');
  });

  it.each<[WeightPrecision, { least: number; most: number }]>([
    ['float32', { least: 0, most: 1e-5 }],
    ['bfloat16', { least: 1e-4, most: 0.02 }],
    ['int8', { least: 1e-4, most: 0.05 }],
  ])(
    '%s: log-probs differ from those of the trained weights, on average, by no more than that',
    async (precision, bounds) => {
      const model = student();
      const episodes = await episodesAt(model, precision);
      const own = await policyLogProbs(model, episodes, { temperature: 1, microBatchTokens: 4096 });
      const differences = episodes.flatMap(({ logProbs }, i) =>
        [...logProbs].map((value, j) => Math.abs(value - own[i][j])),
      );
      const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
      expect(mean).toBeLessThan(bounds.most);
      expect(mean).toBeGreaterThanOrEqual(bounds.least);
      disposeModel(model);
    },
  );

  it.each([
    [1, 0],
    [2, 1e-4],
  ])('an update of %i steps begins with ratios of 1', async (iterations, difference) => {
    const model = student();
    const optimizer = createOptimizer(model);
    const episodes = await episodesAt(model, 'int8');
    const update = { episodes, learningRate: 0, seed: 1 };
    const step = (samplingPrecision: WeightPrecision) =>
      grpoStep(model, optimizer, update, { ...plainGrpo, iterations, samplingPrecision });
    const { ratio, clipLow, clipHigh } = await step('int8');
    expect(Math.abs(ratio! - 1)).toBeLessThanOrEqual(difference);
    expect([clipLow, clipHigh]).toEqual([0, 0]);
    expect(Math.abs((await step('float32')).ratio! - 1)).toBeGreaterThan(1e-4); // what the sampler said
    disposeOptimizer(optimizer);
    disposeModel(model);
  });

  it('two samplings of one seed are the same', async () => {
    const model = student();
    expect(await episodesAt(model, 'bfloat16')).toEqual(await episodesAt(model, 'bfloat16'));
    disposeModel(model);
  });
});
