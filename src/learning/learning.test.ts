import '@tensorflow/tfjs-backend-cpu';
import { memory, mul, type Scalar, setBackend, sum, tensor1d } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { registerKernels } from '../kernels/register';
import { parseModelConfig } from '../model/config';
import { createModel, disposeModel, type Model } from '../model/transformer';
import { disposePacked, type Example, packExamples } from './batch';
import { type Episode, type GrpoOptions, grpoStep, lossShape, policyLogProbs } from './grpo';
import { accumulate, createOptimizer, Diverged, disposeOptimizer, type Gradients } from './optimizer';
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

function withModel<T>(action: (model: Model) => T): T {
  const model = createModel(config, 3);
  try {
    return action(model);
  } finally {
    disposeModel(model);
  }
}

const flat = (gradients: Gradients) => [...gradients.values()].flatMap((gradient) => [...gradient.dataSync()]);
const largest = (values: number[]) => values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
const difference = (a: number[], b: number[]) => largest(a.map((value, i) => value - b[i]));

function episodesOf(model: Model, advantages: number[]): Episode[] {
  const logProbs = policyLogProbs(model, examples, grpo);
  return examples.map((example, i) => ({ ...example, logProbs: logProbs[i], advantage: advantages[i], masked: false }));
}

describe('supervised', () => {
  it('tells the loss of held-out examples as an update would, however they are split, and keeps nothing', () => {
    withModel((model) => {
      const whole = supervisedLoss(model, examples, 1000);
      const { numTensors } = memory();
      expect(supervisedLoss(model, examples, 4)).toBeCloseTo(whole, 5);
      expect(memory().numTensors).toBe(numTensors);
      const gradients: Gradients = new Map();
      expect(whole).toBeCloseTo(accumulateSupervised(model, gradients, examples, supervised, 0), 5);
      for (const gradient of gradients.values()) gradient.dispose();
    });
  });

  it('learns one batch by heart, and leaks no tensor', () =>
    withModel((model) => {
      const optimizer = createOptimizer(model);
      const first = supervisedStep(model, optimizer, examples, 1e-2, supervised, 1);
      expect(first.loss).toBeGreaterThan(2);
      expect(first.loss).toBeLessThan(2.8); // ln 11 = 2.40
      const tensors = memory().numTensors;
      let last = first.loss;
      for (let i = 0; i < 60; i++) last = supervisedStep(model, optimizer, examples, 1e-2, supervised, 1).loss;
      expect(last).toBeLessThan(0.05);
      expect(memory().numTensors).toBe(tensors);
      disposeOptimizer(optimizer);
    }));

  it('gives the same gradient whatever the micro-batches', () =>
    withModel((model) => {
      const whole: Gradients = new Map();
      const parts: Gradients = new Map();
      const loss = accumulateSupervised(model, whole, examples, supervised, 1);
      expect(accumulateSupervised(model, parts, examples, { ...supervised, microBatchTokens: 6 }, 1)).toBeCloseTo(
        loss,
        5,
      );
      expect(difference(flat(whole), flat(parts))).toBeLessThan(1e-6);
    }));

  it('changes nothing when the gradient is not a number', () =>
    withModel((model) => {
      const optimizer = createOptimizer(model);
      const weights = model.parameters.get('model.norm.weight')!;
      const broken = mul(weights, Number.NaN);
      model.parameters.set('model.norm.weight', broken);
      const before = [...model.parameters.get('model.embed_tokens.weight')!.dataSync()];
      expect(() => supervisedStep(model, optimizer, examples, 1e-2, supervised, 1)).toThrow(Diverged);
      expect([...model.parameters.get('model.embed_tokens.weight')!.dataSync()]).toEqual(before);
      expect(optimizer.step).toBe(0);
    }));
});

describe('grpo', () => {
  it('is the policy gradient when the samples are fresh', () =>
    withModel((model) => {
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
      const measured = grpoStep(model, optimizer, episodesOf(model, advantages), [], null, 0, grpo, 1);
      const norm = Math.hypot(...flat(expected));
      expect(measured.gradNorm).toBeCloseTo(norm, 5);
      // The first moment after one step is (1 - beta1) * gradient.
      for (const [name, gradient] of expected) {
        const moment = [...optimizer.moments.get(name)!.first.dataSync()].map((value) => value / 0.1);
        expect(difference(moment, [...gradient.dataSync()])).toBeLessThan(1e-5);
      }
      expect(measured.ratio).toBeCloseTo(1, 4);
      expect(measured.clipLow + measured.clipHigh).toBe(0);
    }));

  it('makes what was rewarded likelier, and what was not, less', () =>
    withModel((model) => {
      const optimizer = createOptimizer(model);
      const before = policyLogProbs(model, examples, grpo).map((values) => values.reduce((a, b) => a + b));
      for (let i = 0; i < 5; i++) grpoStep(model, optimizer, episodesOf(model, [1, -1, 0]), [], null, 3e-3, grpo, i);
      const after = policyLogProbs(model, examples, grpo).map((values) => values.reduce((a, b) => a + b));
      expect(after[0]).toBeGreaterThan(before[0] + 0.1);
      expect(after[1]).toBeLessThan(before[1] - 0.1);
    }));

  it('clips: stale samples far outside the range have no gradient', () =>
    withModel((model) => {
      const optimizer = createOptimizer(model);
      const stale = episodesOf(model, [1, 1, 1]).map((one) => ({
        ...one,
        logProbs: one.logProbs.map((value) => value - 1),
      }));
      const measured = grpoStep(model, optimizer, stale, [], null, 0, grpo, 1);
      expect(measured.clipHigh).toBe(1);
      expect(measured.gradNorm).toBe(0);
    }));

  it('skips flat groups and masked samples, and replays what it is given', () =>
    withModel((model) => {
      const optimizer = createOptimizer(model);
      const flatOnes = episodesOf(model, [0, 0, 0]);
      expect(grpoStep(model, optimizer, flatOnes, [], null, 1e-2, grpo, 1)).toMatchObject({ tokens: 0, gradNorm: 0 });
      expect(optimizer.step).toBe(0);
      const masked = episodesOf(model, [1, 1, 1]).map((one) => ({ ...one, masked: true }));
      expect(grpoStep(model, optimizer, masked, [], null, 1e-2, grpo, 1).gradNorm).toBe(0);
      const first = grpoStep(model, optimizer, flatOnes, examples, null, 1e-2, grpo, 1);
      expect(first.replayLoss).toBeGreaterThan(2);
      for (let i = 0; i < 40; i++) grpoStep(model, optimizer, flatOnes, examples, null, 1e-2, grpo, i);
      expect(grpoStep(model, optimizer, flatOnes, examples, null, 0, grpo, 1).replayLoss).toBeLessThan(0.3);
      const none = { ...grpo, replayWeight: 0 };
      expect(grpoStep(model, optimizer, flatOnes, examples, null, 0, none, 1)).toMatchObject({
        replayLoss: 0,
        tokens: 0,
      });
    }));

  it('keeps close to the reference when told to', () =>
    withModel((reference) => {
      const drift = (beta: number) => {
        const student = createModel(config, 3);
        const optimizer = createOptimizer(student);
        let kl = 0;
        for (let i = 0; i < 20; i++)
          kl = grpoStep(
            student,
            optimizer,
            episodesOf(student, [1, -1, 0.5]),
            [],
            reference,
            2e-3,
            { ...grpo, beta, kl: 'k3+' },
            i,
          ).kl;
        disposeModel(student);
        return kl;
      };
      expect(drift(10)).toBeLessThan(drift(1e-6) / 2);
    }));
});

it('divides as TRL does', () => {
  const counts = { sequences: 4, tokens: 40, microTokens: 10, microBatches: 2, maxNewTokens: 100 };
  expect(lossShape('grpo', counts)).toEqual({ aggregation: 'sequence', importance: 'token', normalizer: 4 });
  expect(lossShape('gspo', counts)).toEqual({ aggregation: 'sequence', importance: 'sequence', normalizer: 4 });
  expect(lossShape('dapo', counts)).toEqual({ aggregation: 'token', importance: 'token', normalizer: 40 });
  expect(lossShape('dr_grpo', counts)).toEqual({ aggregation: 'token', importance: 'token', normalizer: 400 });
  expect(lossShape('bnpo', counts)).toEqual({ aggregation: 'token', importance: 'token', normalizer: 20 });
});
