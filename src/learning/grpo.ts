import { dispose, tidy } from '@tensorflow/tfjs-core';
import type { Episode, Example } from '../engine-data/examples';
import { Diverged, type GrpoMeasures, type GrpoOptions, type TokenMeasures } from '../engine-data/training';
import { yieldToEventLoop } from '../event-loop';
import { withProducts } from '../kernels/precision';
import type { Model } from '../model/transformer';
import { disposePacked, microBatches, packExamples } from './batch';
import { firstEntropies, lossSoFar, measuresOf, type StepResults } from './grpo-measures';
import { byCompletion, passesOf, runPass } from './grpo-pass';
import { applyGradients, type Optimizer, withGradients } from './optimizer';
import { accumulateSupervised, completionLogProbs } from './supervised';

/** The data of an update. */
export interface GrpoStepData {
  episodes: readonly Episode[];
  /** Examples whose cross-entropy is added to the loss. */
  replay?: readonly Example[];
  /** Used only when beta > 0. */
  reference?: Model | null;
  learningRate: number;
  /** Of dropout. */
  seed: number;
}

/** Log-probabilities and entropies of each example's completion under a policy, without gradients. */
export async function tokenScores(
  model: Model,
  examples: readonly Example[],
  options: Pick<GrpoOptions, 'microBatchTokens' | 'signal' | 'precision'> & { temperature?: number },
): Promise<{ logProbs: Float32Array; entropy: Float32Array }[]> {
  const { temperature, microBatchTokens, signal, precision } = options;
  const out: { logProbs: Float32Array; entropy: Float32Array }[] = [];
  for (const batch of microBatches(examples, microBatchTokens)) {
    await yieldToEventLoop(signal);
    const packed = packExamples(batch);
    // Read outside of tidy, which would inspect every element of a returned array.
    const scored = withProducts(precision, () => tidy(() => completionLogProbs(model, packed, { temperature })));
    const [logProbs, entropy] = [scored.logProbs, scored.entropy].map((values) =>
      byCompletion(batch, values.dataSync<'float32'>()),
    );
    for (let i = 0; i < batch.length; i++) out.push({ logProbs: logProbs[i], entropy: entropy[i] });
    dispose([scored.logProbs, scored.entropy]);
    disposePacked(packed);
  }
  return out;
}

/** Log-probabilities of each episode's tokens under a policy, without gradients. */
export async function policyLogProbs(...scored: Parameters<typeof tokenScores>): Promise<Float32Array[]> {
  return (await tokenScores(...scored)).map(({ logProbs }) => logProbs);
}

/**
 * One GRPO update from scored samples: `iterations` x `minibatches` optimizer steps of the clipped surrogate against
 * the log-probs at sampling, plus the cross-entropy of replayed examples. A step without any gradient leaves weights
 * and optimizer unchanged. `signal` aborts the update only while the weights are unchanged.
 */
export async function grpoStep(
  model: Model,
  optimizer: Optimizer,
  update: GrpoStepData,
  options: GrpoOptions,
): Promise<GrpoMeasures & { perToken: TokenMeasures }> {
  const { replay = [], learningRate, seed } = update;
  const { episodes, onPolicy } = await withTrueLogProbs(model, update.episodes, options);
  const refLogProbs = await referenceLogProbs({ ...update, episodes }, options);
  const results: StepResults = {
    steps: options.iterations * options.minibatches,
    passes: [],
    replayLosses: [],
    gradNorms: [],
  };
  const firstStep = optimizer.step;
  for (let step = 0; step < results.steps; step++) {
    const part = episodes.filter((_, i) => i % options.minibatches === step % options.minibatches);
    // Once the weights have changed, the update is completed.
    const within = { ...options, signal: optimizer.step === firstStep ? options.signal : undefined };
    await withGradients(async (gradients) => {
      for (const pass of passesOf(part, options)) {
        await yieldToEventLoop(within.signal);
        results.passes.push(runPass(model, pass, { ...options, refLogProbs, onPolicy, seed: seed + step }, gradients));
      }
      if (replay.length > 0 && options.replayWeight > 0)
        results.replayLosses.push(
          await accumulateSupervised(model, gradients, replay, within, seed + 7919 * (step + 1), options.replayWeight),
        );
      if (gradients.size === 0) return;
      if (!Number.isFinite(lossSoFar(results))) throw new Diverged('the loss');
      results.gradNorms.push(applyGradients(model, optimizer, gradients, learningRate, options));
    });
  }
  return {
    ...measuresOf(results, replay, options),
    perToken: {
      entropy: firstEntropies(episodes, results.passes),
      refLogProbs: refLogProbs && episodes.map((episode) => refLogProbs.get(episode)!),
    },
  };
}

async function referenceLogProbs({ episodes, reference }: GrpoStepData, options: GrpoOptions) {
  if (options.beta === 0 || !reference) return null;
  const logProbs = await policyLogProbs(reference, episodes, options);
  return new Map(episodes.map((episode, i) => [episode, logProbs[i]]));
}

/**
 * If the sampler's weights or this update's products are rounded: episodes with log-probs computed in this update's
 * precision. An update with a single step needs no extra pass: it trains the policy that it begins with, so the
 * log-probs of the step itself are on both sides of the ratio (`onPolicy`).
 */
async function withTrueLogProbs(model: Model, episodes: readonly Episode[], options: GrpoOptions) {
  const { samplingPrecision = 'float32', precision = 'float32' } = options;
  const rounded = samplingPrecision !== 'float32' || precision !== 'float32';
  const onPolicy = rounded && options.iterations * options.minibatches === 1;
  if (!rounded || onPolicy) return { episodes, onPolicy };
  const logProbs = await policyLogProbs(model, episodes, options);
  return { episodes: episodes.map((episode, i): Episode => ({ ...episode, logProbs: logProbs[i] })), onPolicy };
}
