import type { Episode, Example } from '../engine-data/examples';
import type { GrpoMeasures, GrpoOptions } from '../engine-data/training';
import { losses, surrogates } from '../losses';
import type { PassResult } from './grpo-pass';

/** Results of the optimizer steps of an update. */
export interface StepResults {
  steps: number;
  passes: PassResult[];
  /** One per step with replayed examples. */
  replayLosses: number[];
  /** One per step with a gradient. */
  gradNorms: number[];
}

const sum = (values: Iterable<number>) => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

/** The loss of an update's steps so far, including replay. */
export const lossSoFar = ({ passes, replayLosses }: StepResults): number =>
  sum(passes.map(({ loss }) => loss)) + sum(replayLosses);

export function measuresOf(
  { steps, passes, replayLosses, gradNorms }: StepResults,
  replay: readonly Example[],
  options: GrpoOptions,
): GrpoMeasures {
  const total = (name: 'loss' | 'tokens' | 'kl' | 'clippedLow' | 'clippedHigh' | 'ratio' | 'read') =>
    sum(passes.map((pass) => pass[name]));
  const measures: GrpoMeasures = {
    loss: total('loss') / steps,
    gradNorm: sum(gradNorms) / steps,
    tokens:
      total('read') +
      replayLosses.length * sum(replay.map(({ prompt, completion }) => prompt.length + completion.length)),
  };
  if (replayLosses.length > 0) measures.replayLoss = sum(replayLosses) / steps;
  const tokens = total('tokens');
  if (tokens === 0) return measures;
  measures.entropy = sum(passes.map(entropyOf)) / tokens;
  measures.ratio = total('ratio') / tokens;
  if (options.beta > 0) measures.kl = total('kl') / tokens;
  const { surrogate, importance } = losses[options.loss];
  const { clips } = surrogates[surrogate];
  const clippable = importance === 'sequence' ? sum(passes.map(({ batch }) => batch.length)) : tokens;
  if (clips.low) measures.clipLow = total('clippedLow') / clippable;
  if (clips.high) measures.clipHigh = total('clippedHigh') / clippable;
  return measures;
}

const entropyOf = ({ batch, entropies }: PassResult) =>
  sum(entropies.filter((_, i) => !batch[i].masked).map((values) => sum(values)));

/** The entropies of the first pass over each episode. */
export function firstEntropies(episodes: readonly Episode[], passes: readonly PassResult[]): Float32Array[] {
  const first = new Map<Episode, Float32Array>();
  for (const { batch, entropies } of passes)
    batch.forEach((episode, i) => {
      if (!first.has(episode)) first.set(episode, entropies[i]);
    });
  return episodes.map((episode) => first.get(episode)!);
}
