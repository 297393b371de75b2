import type { Example } from './batch';
import type { Episode, GrpoOptions, PassResult } from './grpo-pass';

/**
 * Measurements of one update with TRL's meanings: means over all unmasked completion tokens, those of flat groups too, and over its
 * optimizer steps. What was not computed is absent.
 */
export interface GrpoMeasures {
  loss: number;
  /** Before clipping. */
  gradNorm: number;
  /** Tokens that the student read. */
  tokens: number;
  /** Nats a token. */
  entropy?: number;
  ratio?: number;
  /** With a reference. */
  kl?: number;
  /**
   * Share of tokens, of gspo's completions, that are clipped at the low side (advantage < 0) and at the high side (advantage > 0). cispo has
   * no low side, sapo neither.
   */
  clipLow?: number;
  clipHigh?: number;
  /** Cross-entropy of the replayed examples, where there are any. */
  replayLoss?: number;
}

/** What was computed at every token of each episode, at the sampling temperature. */
export interface TokenMeasures {
  /** Nats, in the update's first pass over the episode. */
  entropy: Float32Array[];
  /** Log-probabilities under the reference; null without one. */
  refLogProbs: Float32Array[] | null;
}

/** What the optimizer steps of an update gave. */
export interface StepResults {
  steps: number;
  passes: PassResult[];
  /** One for each step in which examples were replayed. */
  replayLosses: number[];
  /** One for each step that had a gradient. */
  gradNorms: number[];
}

const sum = (values: Iterable<number>) => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

/** The loss of an update's steps so far, replay included. */
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
  const clippable = options.loss === 'gspo' ? sum(passes.map(({ batch }) => batch.length)) : tokens;
  if (options.loss !== 'cispo' && options.loss !== 'sapo') measures.clipLow = total('clippedLow') / clippable;
  if (options.loss !== 'sapo') measures.clipHigh = total('clippedHigh') / clippable;
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
