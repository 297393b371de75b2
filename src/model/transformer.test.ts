import {
  add,
  dispose,
  engine,
  keep,
  matMul,
  memory,
  mul,
  neg,
  type Scalar,
  sum,
  tensor,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../errors';
import { useBackend } from '../kernels/backends';
import { adamW, tokenLogProbs } from '../kernels/interface';
import { Random } from '../random';
import { parseModelConfig } from '../student-files/config';
import { modelTypes } from '../student-files/families';
import type { JsonObject } from '../student-files/files';
import type { LayerSpec } from '../student-files/layer-spec';
import { parameterShapes } from '../student-files/parameters';
import { type TinyType, tinyConfig, withLayers } from '../student-files/testing/tiny';
import { copyModel } from './testing/copy';
import { livelyModel, naiveLogits } from './testing/naive';
import { createModel, disposeModel, forward, headWeight, type Model, pack } from './transformer';

beforeAll(async () => {
  await useBackend('embedded');
});

const sequences = [[3, 14, 15, 9, 26, 5], [35], [8, 9, 7, 9]];

const logitsOf = (model: Model, of: number[][]) =>
  tidy(() => matMul(forward(model, pack(of)), headWeight(model), false, true).arraySync() as number[][]);

describe.each([
  ...modelTypes.map((type): [TinyType, JsonObject] => [type, {}]),
  ['llama', { tie_word_embeddings: false, rope_scaling: { type: 'linear', factor: 2 } }],
  ['mistral', { sliding_window: 3 }],
  ['qwen3', {}, { qkvBias: true }], // no family has biases under its head norms yet
] as [TinyType, JsonObject, Partial<LayerSpec>?][])('%s %j %j', (modelType, changes, layer) => {
  const config = withLayers(parseModelConfig(tinyConfig(modelType, changes)), layer);

  it.each(['cpu', 'embedded'] as const)(
    'gives the logits of plain loops for several packed sequences on %s',
    async (name) => {
      await useBackend(name);
      const model = livelyModel(config, 5);
      const expected = sequences.flatMap((sequence) => naiveLogits(model, sequence));
      const differences = logitsOf(model, sequences).flatMap((row, i) => row.map((value, j) => value - expected[i][j]));
      expect(differences.length).toBe(11 * 53);
      expect(Math.max(...differences.map(Math.abs))).toBeLessThan(1e-4);
      disposeModel(model);
    },
  );

  it('differentiates by every parameter', () => {
    const model = livelyModel(config, 6);
    const batch = pack(sequences);
    const loss = () =>
      tidy(() => neg(sum(tokenLogProbs(forward(model, batch), headWeight(model), batch.tokens).logProbs)) as Scalar);
    const names = [...model.parameters.keys()];
    const { grads } = engine().gradients(loss, [...model.parameters.values()]);
    // The slope along a random direction through all parameters is the gradient's product with it.
    const random = new Random(3);
    const directions = names.map((name) => {
      const { shape, size } = model.parameters.get(name)!;
      return tensor(
        Float32Array.from({ length: size }, () => random.normal()),
        shape,
      );
    });
    for (const only of [...names, 'all']) {
      const chosen = names.map((name) => only === 'all' || only === name);
      const slope = names.reduce(
        (total, _, i) => total + (chosen[i] ? tidy(() => sum(mul(grads[i], directions[i])).dataSync()[0]) : 0),
        0,
      );
      const step = 0.04 / Math.sqrt(directions.reduce((count, { size }, i) => count + (chosen[i] ? size : 0), 0));
      const moved = [step, -step].map((size) => {
        const before = new Map(model.parameters);
        names.forEach((name, i) => {
          if (chosen[i]) model.parameters.set(name, keep(tidy(() => add(before.get(name)!, mul(directions[i], size)))));
        });
        const value = tidy(() => loss().dataSync()[0]);
        for (const [name, parameter] of before) model.parameters.set(name, parameter);
        return value;
      });
      const numeric = (moved[0] - moved[1]) / (2 * step);
      expect(Math.abs(numeric - slope), only).toBeLessThan(0.02 * Math.abs(slope) + 0.02);
    }
    disposeModel(model);
  });
});

it('is a function of the seed, with the parameters of the config', () => {
  const config = parseModelConfig(tinyConfig('qwen2'));
  const [a, b, c] = [1, 1, 2].map((seed) => createModel(config, seed));
  expect([...a.parameters].map(([name, { shape }]) => [name, shape])).toEqual([...parameterShapes(config)]);
  const values = (model: Model, name: string) => [...model.parameters.get(name)!.dataSync()];
  const q = 'model.layers.0.self_attn.q_proj.weight';
  expect(values(a, q)).toEqual(values(b, q));
  expect(values(a, q)).not.toEqual(values(c, q));
  const deviation = (name: string) =>
    Math.sqrt(values(a, name).reduce((s, v) => s + v * v, 0) / values(a, name).length);
  expect(deviation('model.embed_tokens.weight')).toBeCloseTo(0.02, 2);
  expect(deviation('model.layers.1.mlp.down_proj.weight') / 0.01).toBeCloseTo(1, 0);
  expect(new Set(values(a, 'model.norm.weight'))).toEqual(new Set([1]));
  expect(new Set(values(a, 'model.layers.1.self_attn.v_proj.bias'))).toEqual(new Set([0]));
  for (const model of [a, b, c]) disposeModel(model);
});

it('drops out only in training, by the seed', () => {
  const model = livelyModel(parseModelConfig(tinyConfig('llama')), 1);
  const batch = pack(sequences);
  const run = (training?: { dropout: number; seed: number }) =>
    tidy(() => [...forward(model, batch, training).dataSync()]);
  expect(run({ dropout: 0, seed: 1 })).toEqual(run());
  expect(run({ dropout: 0.3, seed: 1 })).toEqual(run({ dropout: 0.3, seed: 1 }));
  expect(run({ dropout: 0.3, seed: 1 })).not.toEqual(run({ dropout: 0.3, seed: 2 }));
  expect(run({ dropout: 0.3, seed: 1 })).not.toEqual(run());
  dispose([batch.tokens, batch.starts, batch.positions]);
  disposeModel(model);
});

it('copies into its own memory, and frees all of it', () => {
  const before = memory().numTensors;
  const model = livelyModel(parseModelConfig(tinyConfig('qwen3')), 1);
  const copy = copyModel(model);
  const batch = pack(sequences);
  const hidden = forward(model, batch).dataSync();
  const held = memory().numTensors;
  forward(model, batch).dispose();
  expect(memory().numTensors).toBe(held);
  const norm = model.parameters.get('model.norm.weight')!;
  const [first, second] = [zerosLike(norm), zerosLike(norm)];
  const options = { learningRate: 1, beta1: 0.9, beta2: 0.9, eps: 1e-8, weightDecay: 0, step: 1, gradScale: 1 };
  const state = { parameter: norm, gradient: norm, moment1: first, moment2: second };
  const [updated] = adamW([state], options); // in place, on this backend
  expect(updated.parameter.dataSync()[0]).not.toBe(copy.parameters.get('model.norm.weight')!.dataSync()[0]);
  dispose([norm, first, second, updated.moment1, updated.moment2]);
  model.parameters.set('model.norm.weight', updated.parameter);
  expect(forward(copy, batch).dataSync()).toEqual(hidden);
  dispose([batch.tokens, batch.starts, batch.positions]);
  disposeModel(model);
  disposeModel(copy);
  expect(memory().numTensors).toBe(before + 2); // the two hidden states of this test
});

it('refuses tokens outside of the vocabulary and sequences that are too long', () => {
  const model = createModel(parseModelConfig(tinyConfig('llama', { max_position_embeddings: 4 })), 1);
  expect(() => forward(model, pack([[1, 53]]))).toThrow(/Token id 53/);
  expect(() => forward(model, pack([[1, -1]]))).toThrow(/Token id -1/);
  expect(() => forward(model, pack([[1, 2, 3, 4, 5]]))).toThrow(UserError);
  expect(forward(model, pack([[1, 2, 3, 4]])).shape).toEqual([4, 24]);
});

it('makes larger RoPE tables when a longer sequence comes', () => {
  const model = livelyModel(parseModelConfig(tinyConfig('llama')), 1);
  const long = Array.from({ length: 300 }, (_, i) => i % 53);
  const first = logitsOf(model, [long.slice(0, 10)]);
  const rows = model.ropes![0].cos.shape[0];
  const second = logitsOf(model, [long]);
  expect(model.ropes![0].cos.shape[0]).toBeGreaterThan(rows);
  expect(Math.abs(second[9][7] - first[9][7])).toBeLessThan(1e-5);
});
