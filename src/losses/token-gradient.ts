/**
 * The policy loss with its KL penalty and its slope for every token's log-probability, as plain arithmetic: the
 * reference of the kernels, and the gradient that is sent to a server without our losses.
 */
import { type SurrogateName, surrogates } from '.';
import { estimators, type KlEstimator } from './kl';
import type { Loss, LossSettings } from './loss';

export interface GrpoLossOptions extends LossSettings, Pick<Loss, 'aggregation' | 'importance'> {
  surrogate: SurrogateName;
  /** Weight of the KL term; 0 = none (no reference needed). */
  beta: number;
  kl: KlEstimator;
  /** The loss's divisor. */
  normalizer: number;
}

/** Sums over unmasked tokens, so that micro-batches add up. */
export interface GrpoMetrics {
  tokens: number;
  kl: number;
  /**
   * Tokens, with importance `sequence` sequences, beyond the low bound with a negative advantage; 0 without such a
   * bound.
   */
  clippedLow: number;
  /** Beyond the high bound with a positive advantage. */
  clippedHigh: number;
  ratio: number;
}

/** Packed completions: [n] of each but advantages [sequences] and starts [sequences + 1]. */
export interface Completions {
  logProbs: ArrayLike<number>;
  oldLogProbs: ArrayLike<number>;
  refLogProbs?: ArrayLike<number> | null;
  advantages: ArrayLike<number>;
  /** 0: excluded, also from a sequence's mean; its values may be anything. */
  mask: ArrayLike<number>;
  starts: ArrayLike<number>;
}

/** `slopes`: dLoss / dLogProb [n]. */
export function tokenGradient(given: Completions, options: GrpoLossOptions) {
  const { logProbs, oldLogProbs, refLogProbs, advantages, starts } = given;
  const { term, clips } = surrogates[options.surrogate];
  const kl = estimators[options.kl].term;
  const metrics: GrpoMetrics = { tokens: 0, kl: 0, clippedLow: 0, clippedHigh: 0, ratio: 0 };
  const slopes = new Float64Array(logProbs.length);
  let loss = 0;
  for (let s = 0; s < advantages.length; s++) {
    const advantage = advantages[s];
    const tokens = unmasked(given, starts[s], starts[s + 1]);
    const share = 1 / ((options.aggregation === 'sequence' ? tokens.length : 1) * options.normalizer);
    const changes = tokens.map((i) => logProbs[i] - oldLogProbs[i]);
    const mean = changes.reduce((sum, change) => sum + change, 0) / tokens.length;
    // With one ratio for the sequence each token's term is ratio.detach() * exp(l - l.detach()) (GSPO's token form):
    // the mean's 1/count and the sum over its tokens cancel, so value and slope are the ratio in both cases.
    const perSequence = options.importance === 'sequence';
    tokens.forEach((i, place) => {
      const ratio = Math.exp(perSequence ? mean : changes[place]);
      const policy = term({ ratio, advantage, logProb: logProbs[i] }, options);
      const penalty = refLogProbs ? kl(refLogProbs[i] - logProbs[i]) : { value: 0, slope: 0 };
      loss += (policy.value + options.beta * penalty.value) * share;
      slopes[i] = (policy.slope + options.beta * penalty.slope) * share;
      metrics.kl += penalty.value;
      metrics.ratio += ratio;
      if (perSequence && place > 0) return; // one ratio is clipped or not, once
      metrics.clippedLow += Number(clips.low && ratio < 1 - options.clipLow && advantage < 0);
      metrics.clippedHigh += Number(clips.high && ratio > 1 + options.clipHigh && advantage > 0);
    });
    metrics.tokens += tokens.length;
  }
  return { loss, slopes, metrics };
}

function unmasked({ mask }: Completions, start: number, end: number): number[] {
  const places: number[] = [];
  for (let i = start; i < end; i++) if (mask[i] !== 0) places.push(i);
  return places;
}
