import { mul, neg, type Scalar, sum, tidy } from '@tensorflow/tfjs-core';
import type { Example } from '../engine-data/examples';
import { Diverged, type SupervisedMeasures, type SupervisedOptions } from '../engine-data/training';
import { yieldToEventLoop } from '../event-loop';
import { embed, tokenLogProbs } from '../kernels/interface';
import { forward, headWeight, type Model } from '../model/transformer';
import { disposePacked, microBatches, type PackedExamples, packExamples } from './batch';
import { accumulate, applyGradients, type Gradients, type Optimizer, withGradients } from './optimizer';

/** Log-probabilities [m] (and entropies) of the completion tokens of packed examples. */
export function completionLogProbs(
  model: Model,
  packed: PackedExamples,
  options: {
    dropout?: number;
    adapterDropout?: number;
    seed?: number;
    temperature?: number;
    checkpointing?: boolean;
  } = {},
) {
  const { dropout = 0, adapterDropout = 0, seed = 0, temperature = 1, checkpointing = false } = options;
  const hidden = forward(model, packed, { dropout, adapterDropout, seed, checkpointing });
  const frozen = model.adapter !== null;
  return tokenLogProbs(embed(hidden, packed.rows), headWeight(model), packed.targets, temperature, frozen);
}

/**
 * Adds the gradients of the token cross-entropy of `examples`, times `weight`, to `gradients`: -(weight / tokens) * sum
 * of log p(token | before), the mean over all completion tokens of all examples. Returns that loss (without the
 * weight).
 */
export async function accumulateSupervised(
  model: Model,
  gradients: Gradients,
  examples: readonly Example[],
  options: SupervisedOptions,
  seed: number,
  weight = 1,
): Promise<number> {
  const tokens = examples.reduce((count, example) => count + example.completion.length, 0);
  let total = 0;
  for (const [i, batch] of microBatches(examples, options.microBatchTokens).entries()) {
    await yieldToEventLoop(options.signal);
    const packed = packExamples(batch);
    const loss = () => {
      const { logProbs } = completionLogProbs(model, packed, {
        dropout: options.dropout,
        adapterDropout: model.adapter?.settings.dropout,
        seed: seed + i,
        checkpointing: options.checkpointing,
      });
      return mul(neg(sum(logProbs)), weight / tokens) as Scalar;
    };
    total += accumulate(model, gradients, loss, options.precision);
    disposePacked(packed);
  }
  return total / weight;
}

/** The mean token cross-entropy of `examples`, in nats, without dropout or training. */
export async function supervisedLoss(
  model: Model,
  examples: readonly Example[],
  { microBatchTokens, signal }: Pick<SupervisedOptions, 'microBatchTokens' | 'signal'>,
): Promise<number> {
  let total = 0;
  let tokens = 0;
  for (const batch of microBatches(examples, microBatchTokens)) {
    await yieldToEventLoop(signal);
    const packed = packExamples(batch);
    total -= tidy(() => sum(completionLogProbs(model, packed).logProbs).dataSync()[0]);
    tokens += packed.targets.size;
    disposePacked(packed);
  }
  return total / tokens;
}

/**
 * One supervised update (Stage 1 and plain SFT). Returns the mean token cross-entropy before it and the gradient norm.
 */
export async function supervisedStep(
  model: Model,
  optimizer: Optimizer,
  examples: readonly Example[],
  learningRate: number,
  options: SupervisedOptions,
  seed: number,
): Promise<SupervisedMeasures> {
  const { loss, gradNorm } = await withGradients(async (gradients) => {
    const loss = await accumulateSupervised(model, gradients, examples, options, seed);
    if (!Number.isFinite(loss)) throw new Diverged('the loss');
    return { loss, gradNorm: applyGradients(model, optimizer, gradients, learningRate, options) };
  });
  const tokens = examples.reduce((count, example) => count + example.prompt.length + example.completion.length, 0);
  return { loss, gradNorm, tokens };
}
