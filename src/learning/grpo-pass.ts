/** One micro-batch of scored samples through the student: its part of the loss, and its measurements. */
import { dispose, mul, type Scalar, type Tensor1D, tensor1d, tidy } from '@tensorflow/tfjs-core';
import type { Episode, Example } from '../engine-data/examples';
import type { GrpoOptions } from '../engine-data/training';
import { grpoLoss } from '../kernels/interface';
import { withProducts } from '../kernels/precision';
import { type LossType, losses } from '../losses';
import type { Counts } from '../losses/loss';
import type { GrpoLossOptions, GrpoMetrics } from '../losses/token-gradient';
import type { Model } from '../model/transformer';
import { disposePacked, microBatches, packExamples } from './batch';
import { accumulate, type Gradients } from './optimizer';
import { completionLogProbs } from './supervised';

type LossShape = Pick<GrpoLossOptions, 'surrogate' | 'aggregation' | 'importance' | 'normalizer'>;

export interface MicroBatch {
  batch: readonly Episode[];
  /** Whether anything in it has a gradient. */
  learns: boolean;
  shape: LossShape;
}

/** The results of a pass: its part of the loss, and sums over its unmasked tokens. */
export interface PassResult extends GrpoMetrics {
  batch: readonly Episode[];
  loss: number;
  /** For each completion's tokens, in nats; masked completions are included. */
  entropies: Float32Array[];
  /** Number of input tokens. */
  read: number;
}

/** The term of a token, and what sums of it are divided by. */
export function lossShape(loss: LossType, counts: Counts): LossShape {
  const { surrogate, aggregation, importance, divisor } = losses[loss];
  return { surrogate, aggregation, importance, normalizer: divisor(counts) };
}

const unmaskedTokens = (episodes: readonly Episode[]): number =>
  episodes.reduce((count, episode) => count + (episode.masked ? 0 : episode.completion.length), 0);

/**
 * The passes of an optimizer step. Completions of flat groups have no advantage and, without a KL term, no gradient;
 * masked ones never have any. They only need a forward pass for measurements, but count in the divisors, as in TRL.
 */
export function passesOf(episodes: readonly Episode[], options: GrpoOptions): MicroBatch[] {
  const { loss, beta, policyWeight, microBatchTokens, maxNewTokens } = options;
  const hasGradient = ({ masked, advantage }: Episode) => policyWeight > 0 && !masked && (beta > 0 || advantage !== 0);
  const parts = losses[loss].byMicroBatch ? microBatches(episodes, microBatchTokens) : [episodes];
  return parts.flatMap((part) => {
    const shape = lossShape(loss, {
      sequences: episodes.length,
      tokens: unmaskedTokens(episodes),
      microTokens: unmaskedTokens(part),
      microBatches: parts.length,
      maxNewTokens,
    });
    return [true, false].flatMap((learns) => {
      const chosen = part.filter((episode) => hasGradient(episode) === learns);
      return microBatches(chosen, microBatchTokens).map((batch) => ({ batch, learns, shape }));
    });
  });
}

interface PassOptions {
  seed: number;
  refLogProbs: ReadonlyMap<Episode, Float32Array> | null;
  /** The episodes count as sampled by the present policy: every ratio is 1. */
  onPolicy: boolean;
}

/** Runs a pass, and adds the gradients of its loss, if any, to `gradients`. */
export function runPass(
  model: Model,
  { batch, learns, shape }: MicroBatch,
  options: GrpoOptions & PassOptions,
  gradients: Gradients,
): PassResult {
  const { refLogProbs, onPolicy, dropout, seed, temperature, checkpointing, policyWeight, sapoTemperature } = options;
  const lossOptions = {
    ...options,
    ...shape,
    sapoPositive: sapoTemperature.positive,
    sapoNegative: sapoTemperature.negative,
  };
  const packed = packExamples(batch);
  const inputs = {
    oldLogProbs: onPolicy ? null : perToken(batch, (episode, j) => episode.logProbs[j]),
    refLogProbs: refLogProbs && perToken(batch, (episode, j) => refLogProbs.get(episode)![j]),
    mask: perToken(batch, ({ masked }) => Number(!masked)),
    advantages: tensor1d(batch.map((episode) => episode.advantage)),
    starts: packed.targetStarts,
  };
  let sums: ArrayLike<number> = [];
  let entropies: Float32Array[] = [];
  const weightedLoss = () => {
    const scored = completionLogProbs(model, packed, { dropout, seed, temperature, checkpointing });
    const { loss, metrics } = grpoLoss(
      { ...inputs, logProbs: scored.logProbs, oldLogProbs: inputs.oldLogProbs ?? scored.logProbs },
      lossOptions,
    );
    sums = metrics.dataSync();
    entropies = byCompletion(batch, scored.entropy.dataSync() as Float32Array);
    return mul(loss, policyWeight) as Scalar;
  };
  const measure = () => tidy(() => weightedLoss().dataSync()[0]);
  const loss = learns
    ? accumulate(model, gradients, weightedLoss, options.precision)
    : withProducts(options.precision, measure);
  dispose([inputs.mask, inputs.advantages]);
  inputs.oldLogProbs?.dispose();
  inputs.refLogProbs?.dispose();
  disposePacked(packed);
  const [tokens, kl, clippedLow, clippedHigh, ratio] = Array.from(sums);
  return { batch, loss, entropies, read: packed.tokenCount, tokens, kl, clippedLow, clippedHigh, ratio };
}

/** Splits the values of all completions' tokens into one array per completion. */
export function byCompletion(batch: readonly Example[], values: Float32Array): Float32Array[] {
  let end = 0;
  return batch.map(({ completion }) => {
    end += completion.length;
    return values.slice(end - completion.length, end);
  });
}

function perToken(episodes: readonly Episode[], value: (episode: Episode, j: number) => number): Tensor1D {
  const out = new Float32Array(episodes.reduce((count, episode) => count + episode.completion.length, 0));
  let at = 0;
  for (const episode of episodes) for (let j = 0; j < episode.completion.length; j++) out[at++] = value(episode, j);
  return tensor1d(out, 'float32');
}
