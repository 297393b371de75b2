import type { Episode, Example } from '../engine-data/examples';
import { Diverged, type GrpoOptions } from '../engine-data/training';
import type { LossType } from '../losses';
import '@tensorflow/tfjs-backend-cpu';
import { memory, mul, type Scalar, setBackend, sum, tensor1d } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { registerKernels } from '../kernels/register';
import { createModel, disposeModel, type Model } from '../model/transformer';
import { parseModelConfig } from '../student-files/config';
import { disposePacked, packExamples } from './batch';
import { type GrpoStepData, grpoStep, policyLogProbs } from './grpo';
import { lossShape } from './grpo-pass';
import { accumulate, createOptimizer, disposeOptimizer, type Gradients } from './optimizer';
import { accumulateSupervised, completionLogProbs, supervisedLoss, supervisedStep } from './supervised';
import { plainGrpo } from './testing/settings';

const config = parseModelConfig(
  {
    model_type: 'llama',
    hidden_size: 16,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    intermediate_size: 24,
    vocab_size: 11,
    max_position_embeddings: 64,
    tie_word_embeddings: true,
    eos_token_id: 0,
  },
  'config.json',
);

const supervised = { dropout: 0, microBatchTokens: 1000, weightDecay: 0, maxGradNorm: 1 };
const grpo: GrpoOptions = { ...plainGrpo, ...supervised };
const examples: Example[] = [
  { prompt: [1, 2, 3], completion: [4, 5, 0] },
  { prompt: [6], completion: [7, 8, 9, 10, 0] },
  { prompt: [3, 3], completion: [0] },
];

beforeAll(async () => {
  await setBackend('cpu');
  registerKernels('cpu');
});

async function withModel<T>(action: (model: Model) => Promise<T>): Promise<T> {
  const model = createModel(config, 3);
  try {
    return await action(model);
  } finally {
    disposeModel(model);
  }
}

const flat = (gradients: Gradients) => [...gradients.values()].flatMap((gradient) => [...gradient.dataSync()]);
const largest = (values: number[]) => values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
const difference = (a: number[], b: number[]) => largest(a.map((value, i) => value - b[i]));

async function episodesOf(model: Model, advantages: number[]): Promise<Episode[]> {
  const logProbs = await policyLogProbs(model, examples, grpo);
  return examples.map((example, i) => ({ ...example, logProbs: logProbs[i], advantage: advantages[i], masked: false }));
}

const update = (episodes: Episode[], more: Partial<GrpoStepData> = {}): GrpoStepData => ({
  episodes,
  learningRate: 0,
  seed: 1,
  ...more,
});

describe('supervised', () => {
  it('computes the loss of held-out examples like an update, however they are split, and keeps no tensors', () =>
    withModel(async (model) => {
      const whole = await supervisedLoss(model, examples, { microBatchTokens: 1000 });
      const { numTensors } = memory();
      expect(await supervisedLoss(model, examples, { microBatchTokens: 4 })).toBeCloseTo(whole, 5);
      expect(memory().numTensors).toBe(numTensors);
      const gradients: Gradients = new Map();
      expect(whole).toBeCloseTo(await accumulateSupervised(model, gradients, examples, supervised, 0), 5);
      for (const gradient of gradients.values()) gradient.dispose();
    }));

  it('memorizes one batch, and leaks no tensor', () =>
    withModel(async (model) => {
      const optimizer = createOptimizer(model);
      const first = await supervisedStep(model, optimizer, examples, 1e-2, supervised, 1);
      expect(first.loss).toBeGreaterThan(2);
      expect(first.loss).toBeLessThan(2.8); // ln 11 = 2.40
      const tensors = memory().numTensors;
      let last = first.loss;
      for (let i = 0; i < 60; i++) last = (await supervisedStep(model, optimizer, examples, 1e-2, supervised, 1)).loss;
      expect(last).toBeLessThan(0.05);
      expect(memory().numTensors).toBe(tensors);
      disposeOptimizer(optimizer);
    }));

  it('gives the same gradient whatever the micro-batches', () =>
    withModel(async (model) => {
      const whole: Gradients = new Map();
      const parts: Gradients = new Map();
      const loss = await accumulateSupervised(model, whole, examples, supervised, 1);
      expect(await accumulateSupervised(model, parts, examples, { ...supervised, microBatchTokens: 6 }, 1)).toBeCloseTo(
        loss,
        5,
      );
      expect(difference(flat(whole), flat(parts))).toBeLessThan(1e-6);
    }));

  it('changes nothing when the gradient is not a number', () =>
    withModel(async (model) => {
      const optimizer = createOptimizer(model);
      const weights = model.parameters.get('model.norm.weight')!;
      const broken = mul(weights, Number.NaN);
      model.parameters.set('model.norm.weight', broken);
      const before = [...model.parameters.get('model.embed_tokens.weight')!.dataSync()];
      await expect(supervisedStep(model, optimizer, examples, 1e-2, supervised, 1)).rejects.toThrow(Diverged);
      expect([...model.parameters.get('model.embed_tokens.weight')!.dataSync()]).toEqual(before);
      expect(optimizer.step).toBe(0);
    }));
});

/** Aborted after this many turns of the event loop. */
function abortedAfter(turns: number): AbortSignal {
  const abort = new AbortController();
  const count = (left: number): unknown => (left === 0 ? abort.abort() : setImmediate(() => count(left - 1)));
  count(turns);
  return abort.signal;
}

describe('an update that is ended early', () => {
  it('changes nothing, and leaves no tensor', () =>
    withModel(async (model) => {
      const optimizer = createOptimizer(model);
      const episodes = await episodesOf(model, [1, -1, 0.5]);
      const before = [...model.parameters.get('model.embed_tokens.weight')!.dataSync()];
      const tensors = memory().numTensors;
      const parts = { microBatchTokens: 6 };
      const ended = { name: 'AbortError' };
      for (const turns of [0, 1, 2]) {
        const options = { ...supervised, ...parts, signal: abortedAfter(turns) };
        await expect(supervisedStep(model, optimizer, examples, 1e-2, options, 1)).rejects.toMatchObject(ended);
      }
      for (const turns of [0, 1, 2, 4]) {
        const options = { ...grpo, ...parts, beta: 0.1, signal: abortedAfter(turns) };
        const update = { episodes, replay: examples, reference: model, learningRate: 1e-2, seed: 1 };
        await expect(grpoStep(model, optimizer, update, options)).rejects.toMatchObject(ended);
      }
      const loss = supervisedLoss(model, examples, { ...parts, signal: abortedAfter(1) });
      await expect(loss).rejects.toMatchObject(ended);
      expect(memory().numTensors).toBe(tensors);
      expect(optimizer.step).toBe(0);
      expect([...model.parameters.get('model.embed_tokens.weight')!.dataSync()]).toEqual(before);
    }));

  it('is completed once the weights have changed', () =>
    withModel(async (model) => {
      const optimizer = createOptimizer(model);
      const episodes = await episodesOf(model, [1, -1, 0.5]);
      const abort = new AbortController();
      const options = { ...grpo, iterations: 3, signal: abort.signal };
      const going = grpoStep(model, optimizer, update(episodes, { learningRate: 1e-2 }), options);
      while (optimizer.step === 0) await new Promise(setImmediate);
      abort.abort();
      expect((await going).gradNorm).toBeGreaterThan(0);
      expect(optimizer.step).toBe(3);
    }));
});

describe('grpo', () => {
  it('is the policy gradient when the samples are fresh', () =>
    withModel(async (model) => {
      const advantages = [1, -0.5, 0.25];
      const expected: Gradients = new Map();
      const packed = packExamples(examples);
      accumulate(model, expected, () => {
        const { logProbs } = completionLogProbs(model, packed);
        const weights = tensor1d([...Array(3).fill(1), ...Array(5).fill(-0.5), 0.25]);
        return mul(sum(mul(logProbs, weights)), -1 / (3 * grpo.maxNewTokens)) as Scalar;
      });
      disposePacked(packed);
      const optimizer = createOptimizer(model);
      const episodes = await episodesOf(model, advantages);
      const measured = await grpoStep(model, optimizer, update(episodes), grpo);
      const norm = Math.hypot(...flat(expected));
      expect(measured.gradNorm).toBeCloseTo(norm, 5);
      // The first moment after one step is (1 - beta1) * gradient.
      for (const [name, gradient] of expected) {
        const moment = [...optimizer.moments.get(name)!.first.dataSync()].map((value) => value / 0.1);
        expect(difference(moment, [...gradient.dataSync()])).toBeLessThan(1e-5);
      }
      expect(measured.ratio).toBeCloseTo(1, 4);
      expect(measured).toMatchObject({ clipLow: 0, clipHigh: 0 });
    }));

  it('makes rewarded completions more likely, and others less likely', () =>
    withModel(async (model) => {
      const optimizer = createOptimizer(model);
      const before = (await policyLogProbs(model, examples, grpo)).map((values) => values.reduce((a, b) => a + b));
      for (let i = 0; i < 5; i++)
        await grpoStep(model, optimizer, update(await episodesOf(model, [1, -1, 0]), { learningRate: 3e-3 }), grpo);
      const after = (await policyLogProbs(model, examples, grpo)).map((values) => values.reduce((a, b) => a + b));
      expect(after[0]).toBeGreaterThan(before[0] + 0.1);
      expect(after[1]).toBeLessThan(before[1] - 0.1);
    }));

  it('clips: stale samples far outside the range have no gradient', () =>
    withModel(async (model) => {
      const optimizer = createOptimizer(model);
      const stale = (await episodesOf(model, [1, 1, 1])).map((one) => ({
        ...one,
        logProbs: one.logProbs.map((value) => value - 1),
      }));
      const measured = await grpoStep(model, optimizer, update(stale), grpo);
      expect(measured.clipHigh).toBe(1);
      expect(measured.gradNorm).toBe(0);
    }));

  it('learns nothing from flat groups and masked samples, and replays what it is given', () =>
    withModel(async (model) => {
      const optimizer = createOptimizer(model);
      const step = (episodes: Episode[], more: Partial<GrpoStepData> = {}, options = grpo) =>
        grpoStep(model, optimizer, update(episodes, { learningRate: 1e-2, ...more }), options);
      const flatOnes = await episodesOf(model, [0, 0, 0]);
      expect((await step(flatOnes)).gradNorm).toBe(0);
      const masked = (await episodesOf(model, [1, 1, 1])).map((one) => ({ ...one, masked: true }));
      expect((await step(masked)).gradNorm).toBe(0);
      expect(optimizer.step).toBe(0);
      const first = await step(flatOnes, { replay: examples });
      expect(first.replayLoss).toBeGreaterThan(2);
      for (let i = 0; i < 40; i++) await step(flatOnes, { replay: examples });
      expect((await step(flatOnes, { replay: examples, learningRate: 0 })).replayLoss).toBeLessThan(0.3);
      expect(await step(flatOnes, { replay: examples }, { ...grpo, replayWeight: 0 })).not.toHaveProperty('replayLoss');
    }));

  it('measures flat groups like the others, and leaves out what it did not compute', () =>
    withModel(async (model) => {
      const optimizer = createOptimizer(model);
      const measure = (episodes: Episode[], options: Partial<GrpoOptions> = {}) =>
        grpoStep(model, optimizer, update(episodes, { reference: model }), { ...grpo, ...options });
      const lively = await measure(await episodesOf(model, [1, -1, 0.5]));
      const stale = (await episodesOf(model, [0, 2, 0])).map((one, i) => ({
        ...one,
        logProbs: one.logProbs.map((value) => value - Number(i === 1)),
      }));
      const clipped = await measure(stale);
      expect(clipped.entropy).toBeCloseTo(lively.entropy!, 6);
      expect(clipped.clipHigh).toBeCloseTo(5 / 9, 6);
      expect(clipped.perToken.entropy?.map(({ length }) => length)).toEqual([3, 5, 1]);
      expect(clipped.perToken.refLogProbs).toBeNull();
      for (const episodes of [await episodesOf(model, [0, 0, 0]), stale]) {
        const flat = await measure(episodes, episodes === stale ? { policyWeight: 0 } : {});
        expect(flat.entropy).toBeCloseTo(lively.entropy!, 6);
        expect(flat).toMatchObject({ gradNorm: 0, tokens: lively.tokens });
        expect(flat).not.toHaveProperty('kl');
        expect(flat).not.toHaveProperty('replayLoss');
      }
      const kept = await measure(stale, { beta: 0.1 });
      expect(kept.kl).toBeCloseTo(0, 6);
      expect(kept.perToken.refLogProbs!.map(({ length }) => length)).toEqual([3, 5, 1]);

      const [first, ...others] = await episodesOf(model, [1, 1, 1]);
      const rest = others.map((one) => ({ ...one, masked: true }));
      const alone = await measure([first, ...rest]);
      expect(alone.entropy).toBeCloseTo(alone.perToken.entropy![0].reduce((a, b) => a + b) / 3, 6);
      const none = await measure([{ ...first, masked: true }, ...rest], { beta: 0.1 });
      for (const name of ['entropy', 'kl', 'clipLow', 'clipHigh']) expect(none).not.toHaveProperty(name);
      expect(none.perToken.entropy).toEqual(alone.perToken.entropy);
    }));

  it('has the gradient of bnpo from all completions of a micro-batch, flat and masked ones too', () =>
    withModel(async (model) => {
      const norm = async (advantages: number[], options: Partial<GrpoOptions>) => {
        const optimizer = createOptimizer(model);
        const episodes = await episodesOf(model, advantages);
        return (await grpoStep(model, optimizer, update(episodes), { ...grpo, ...options })).gradNorm;
      };
      // One micro-batch: the mean over all 9 tokens, whether or not a tiny KL term includes the flat ones.
      const flat = await norm([1, 0, 0], { loss: 'bnpo' });
      expect(flat).toBeCloseTo((await norm([1, 0, 0], { loss: 'dapo' }))!, 6);
      const tiny = { beta: 1e-12 };
      const reference = async (loss: GrpoOptions['loss'], microBatchTokens: number) => {
        const optimizer = createOptimizer(model);
        const episodes = await episodesOf(model, [1, 0, -1]);
        const options = { ...grpo, ...tiny, loss, microBatchTokens };
        return (await grpoStep(model, optimizer, update(episodes, { reference: model }), options)).gradNorm!;
      };
      for (const microBatchTokens of [6, 12, 1000])
        expect(await norm([1, 0, -1], { loss: 'bnpo', microBatchTokens })).toBeCloseTo(
          await reference('bnpo', microBatchTokens),
          6,
        );
    }));

  it('stays close to the reference with a KL penalty', () =>
    withModel(async (reference) => {
      const drift = async (beta: number) => {
        const student = createModel(config, 3);
        const optimizer = createOptimizer(student);
        const drifting = async () => update(await episodesOf(student, [1, -1, 0.5]), { reference, learningRate: 2e-3 });
        let kl = 0;
        for (let i = 0; i < 20; i++)
          kl = (await grpoStep(student, optimizer, await drifting(), { ...grpo, beta, kl: 'k3+' })).kl!;
        disposeModel(student);
        return kl;
      };
      expect(await drift(10)).toBeLessThan((await drift(1e-6)) / 2);
    }));
});

it('divides as TRL does', () => {
  const counts = { sequences: 4, tokens: 40, microTokens: 10, microBatches: 2, maxNewTokens: 100 };
  const expected = {
    grpo: { surrogate: 'clip', aggregation: 'sequence', importance: 'token', normalizer: 4 },
    gspo: { surrogate: 'clip', aggregation: 'sequence', importance: 'sequence', normalizer: 4 },
    sapo: { surrogate: 'sapo', aggregation: 'sequence', importance: 'token', normalizer: 4 },
    dapo: { surrogate: 'clip', aggregation: 'token', importance: 'token', normalizer: 40 },
    cispo: { surrogate: 'cispo', aggregation: 'token', importance: 'token', normalizer: 40 },
    dr_grpo: { surrogate: 'clip', aggregation: 'token', importance: 'token', normalizer: 400 },
    bnpo: { surrogate: 'clip', aggregation: 'token', importance: 'token', normalizer: 20 },
  } as const;
  for (const [loss, shape] of Object.entries(expected)) expect(lossShape(loss as LossType, counts)).toEqual(shape);
});
