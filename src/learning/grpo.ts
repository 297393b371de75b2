import { dispose, mul, type Scalar, type Tensor1D, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { type GrpoLossOptions, grpoLoss, type KlEstimator } from '../kernels/interface';
import type { Model } from '../model/transformer';
import { disposePacked, type Example, microBatches, packExamples } from './batch';
import { breathe } from './breath';
import { accumulate, applyGradients, Diverged, type Gradients, type Optimizer, withGradients } from './optimizer';
import { accumulateSupervised, completionLogProbs, type SupervisedOptions } from './supervised';

/** A sampled completion with what the loss needs. */
export interface Episode extends Example {
  /** Log-probabilities of the completion's tokens when they were sampled. */
  logProbs: Float32Array;
  advantage: number;
  /** Left out of the loss (a truncated completion, when the settings say so). */
  masked: boolean;
}

/** Loss types by the names that TRL gives them. */
export type LossType = 'grpo' | 'bnpo' | 'dr_grpo' | 'dapo' | 'gspo';

export interface GrpoOptions extends SupervisedOptions {
  loss: LossType;
  clipLow: number;
  clipHigh: number;
  beta: number;
  kl: KlEstimator;
  temperature: number;
  /** The constant that dr_grpo divides by. */
  maxNewTokens: number;
  /** Passes over the same samples. */
  iterations: number;
  /** Optimizer steps a pass. */
  minibatches: number;
  /** Weight of the GRPO gradient itself; 0 leaves only the replay (a control experiment). */
  policyWeight: number;
  /** Weight of the cross-entropy on replayed examples. */
  replayWeight: number;
}

/** Measurements of one update, means over unmasked completion tokens and over its optimizer steps. */
export interface GrpoMeasures {
  loss: number;
  kl: number;
  entropy: number;
  clipLow: number;
  clipHigh: number;
  ratio: number;
  gradNorm: number;
  replayLoss: number;
  /** Tokens that went through the forward pass. */
  tokens: number;
}

/**
 * What a sum is divided by, so that micro-batches add up to the loss of the whole batch (TRL's definitions):
 * grpo, gspo: sequences; dapo: unmasked tokens of the batch; dr_grpo: sequences x maxNewTokens; bnpo: unmasked tokens of the micro-batch,
 * micro-batches averaged.
 */
export function lossShape(
  loss: LossType,
  counts: { sequences: number; tokens: number; microTokens: number; microBatches: number; maxNewTokens: number },
): Pick<GrpoLossOptions, 'aggregation' | 'importance' | 'normalizer'> {
  const importance = loss === 'gspo' ? 'sequence' : 'token';
  switch (loss) {
    case 'grpo':
    case 'gspo':
      return { aggregation: 'sequence', importance, normalizer: counts.sequences };
    case 'dapo':
      return { aggregation: 'token', importance, normalizer: Math.max(counts.tokens, 1) };
    case 'dr_grpo':
      return { aggregation: 'token', importance, normalizer: counts.sequences * counts.maxNewTokens };
    case 'bnpo':
      return { aggregation: 'token', importance, normalizer: Math.max(counts.microTokens, 1) * counts.microBatches };
  }
}

const unmaskedTokens = (episodes: readonly Episode[]) =>
  episodes.reduce((count, episode) => count + (episode.masked ? 0 : episode.completion.length), 0);

function perToken(episodes: readonly Episode[], value: (episode: Episode, j: number) => number): Tensor1D {
  const out = new Float32Array(episodes.reduce((count, episode) => count + episode.completion.length, 0));
  let at = 0;
  for (const episode of episodes) for (let j = 0; j < episode.completion.length; j++) out[at++] = value(episode, j);
  return tensor1d(out, 'float32');
}

/** Log-probabilities of each episode's tokens under a policy, without gradients. */
export async function policyLogProbs(
  model: Model,
  episodes: readonly Example[],
  options: { temperature: number; microBatchTokens: number; signal?: AbortSignal },
): Promise<Float32Array[]> {
  const out: Float32Array[] = [];
  for (const batch of microBatches(episodes, options.microBatchTokens)) {
    await breathe(options.signal);
    const packed = packExamples(batch);
    // Read outside of tidy, which would walk through every element of an array that is returned to it.
    const logProbs = tidy(() => completionLogProbs(model, packed, { temperature: options.temperature }).logProbs);
    const values = logProbs.dataSync() as Float32Array;
    logProbs.dispose();
    disposePacked(packed);
    let at = 0;
    for (const { completion } of batch) {
      out.push(values.slice(at, at + completion.length));
      at += completion.length;
    }
  }
  return out;
}

/**
 * One GRPO update from scored samples: `iterations` x `minibatches` optimizer steps of the clipped surrogate against the
 * log-probs at sampling, plus the cross-entropy of replayed examples. `reference` is read only when beta > 0. `signal` ends it only as long
 * as the weights are unchanged.
 */
export async function grpoStep(
  model: Model,
  optimizer: Optimizer,
  episodes: readonly Episode[],
  replay: readonly Example[],
  reference: Model | null,
  learningRate: number,
  options: GrpoOptions,
  seed: number,
): Promise<GrpoMeasures> {
  const refLogProbs = options.beta > 0 && reference ? await policyLogProbs(reference, episodes, options) : null;
  const refOf = new Map(refLogProbs?.map((values, i) => [episodes[i], values]));
  const measures: GrpoMeasures = {
    loss: 0,
    kl: 0,
    entropy: 0,
    clipLow: 0,
    clipHigh: 0,
    ratio: 0,
    gradNorm: 0,
    replayLoss: 0,
    tokens: 0,
  };
  const steps = options.iterations * options.minibatches;
  const begun = optimizer.step;
  let measured = 0;
  const optimizerStep = async (gradients: Gradients, step: number, options: GrpoOptions) => {
    const part = step % options.minibatches;
    // A flat group has no advantage and, without a KL term, no gradient: it need not pass through the model.
    const inStep = episodes.filter((_, i) => i % options.minibatches === part);
    const useful = inStep.filter((episode) => !episode.masked && (options.beta > 0 || episode.advantage !== 0));
    const batches = options.policyWeight > 0 ? microBatches(useful, options.microBatchTokens) : [];
    for (const batch of batches) {
      await breathe(options.signal);
      const packed = packExamples(batch);
      const inputs = {
        oldLogProbs: perToken(batch, (episode, j) => episode.logProbs[j]),
        refLogProbs: refLogProbs ? perToken(batch, (episode, j) => refOf.get(episode)![j]) : null,
        mask: perToken(batch, () => 1),
        advantages: tensor1d(batch.map((episode) => episode.advantage)),
        starts: packed.targetStarts,
      };
      const shape = lossShape(options.loss, {
        sequences: inStep.length,
        tokens: unmaskedTokens(inStep),
        microTokens: unmaskedTokens(batch),
        microBatches: batches.length,
        maxNewTokens: options.maxNewTokens,
      });
      let sums: Float32Array = new Float32Array(8);
      let entropy = 0;
      measures.loss += accumulate(model, gradients, () => {
        const scored = completionLogProbs(model, packed, {
          dropout: options.dropout,
          seed: seed + step,
          temperature: options.temperature,
          checkpointing: options.checkpointing,
        });
        const { loss, metrics } = grpoLoss({ ...inputs, logProbs: scored.logProbs }, { ...options, ...shape });
        sums = metrics.dataSync() as Float32Array;
        entropy = (scored.entropy.dataSync() as Float32Array).reduce((total, value) => total + value, 0);
        return mul(loss, options.policyWeight) as Scalar;
      });
      measured += sums[0];
      measures.kl += sums[1];
      measures.clipLow += sums[2];
      measures.clipHigh += sums[3];
      measures.ratio += sums[4];
      measures.entropy += entropy;
      measures.tokens += packed.tokenCount;
      dispose([inputs.oldLogProbs, inputs.mask, inputs.advantages]);
      inputs.refLogProbs?.dispose();
      disposePacked(packed);
    }
    if (replay.length > 0 && options.replayWeight > 0) {
      measures.replayLoss += await accumulateSupervised(
        model,
        gradients,
        replay,
        options,
        seed + 7919 * (step + 1),
        options.replayWeight,
      );
      measures.tokens += replay.reduce(
        (count, example) => count + example.prompt.length + example.completion.length,
        0,
      );
    }
    if (gradients.size === 0) return;
    if (!Number.isFinite(measures.loss + measures.replayLoss)) throw new Diverged('the loss');
    measures.gradNorm += applyGradients(model, optimizer, gradients, learningRate, options);
  };
  for (let step = 0; step < steps; step++) {
    // Once the weights have changed, the update is seen through.
    const within = { ...options, signal: optimizer.step === begun ? options.signal : undefined };
    await withGradients((gradients) => optimizerStep(gradients, step, within));
  }
  for (const name of ['kl', 'clipLow', 'clipHigh', 'ratio', 'entropy'] as const)
    measures[name] /= Math.max(measured, 1);
  for (const name of ['loss', 'gradNorm', 'replayLoss'] as const) measures[name] /= steps;
  return measures;
}
