/**
 * The GRPO loss and its derivative for every token's log-probability, in plain arithmetic, for servers that do not have
 * our losses. Formulas as in kernels/reference/grpo-loss.ts, against which the kernels are tested too.
 */
import type { Episode } from '../../engine-data/examples';
import type { KlEstimator } from '../../engine-data/training';
import type { GrpoLossOptions, GrpoMetrics } from '../../kernels/interface';

export interface TokenGradient {
  loss: number;
  /** dLoss / dLogProb, one array per episode. */
  slopes: Float64Array[];
  /** Sums over unmasked tokens. */
  metrics: GrpoMetrics;
}

interface Term {
  value: number;
  slope: number;
}

/**
 * The policy loss with its KL penalty. `logProbs` and `refLogProbs` (used when beta > 0) are those of each episode's
 * tokens.
 */
export function tokenGradient(
  episodes: readonly Episode[],
  logProbs: readonly Float32Array[],
  refLogProbs: readonly Float32Array[] | null,
  options: GrpoLossOptions,
): TokenGradient {
  const metrics: GrpoMetrics = { tokens: 0, kl: 0, clippedLow: 0, clippedHigh: 0, ratio: 0 };
  let loss = 0;
  const slopes = episodes.map((episode, i) => {
    const out = new Float64Array(episode.completion.length);
    if (episode.masked) return out;
    const count = Math.max(out.length, 1);
    const share = 1 / ((options.aggregation === 'sequence' ? count : 1) * options.normalizer);
    const ratios = ratiosOf(episode, logProbs[i], options.importance);
    const clipped = { low: 0, high: 0 };
    for (let j = 0; j < out.length; j++) {
      const { value, slope } = policyTerm(ratios[j], episode.advantage, logProbs[i][j], options);
      const kl = refLogProbs ? klTerm(refLogProbs[i][j] - logProbs[i][j], options.kl) : { value: 0, slope: 0 };
      loss += (value + options.beta * kl.value) * share;
      out[j] = (slope + options.beta * kl.slope) * share;
      metrics.kl += kl.value;
      metrics.ratio += ratios[j];
      clipped.low += Number(ratios[j] < 1 - options.clipLow && episode.advantage < 0);
      clipped.high += Number(ratios[j] > 1 + options.clipHigh && episode.advantage > 0);
    }
    metrics.tokens += out.length;
    const counted = (tokens: number) => (options.importance === 'token' ? tokens : Math.min(tokens, 1));
    if (options.surrogate === 'clip') metrics.clippedLow += counted(clipped.low);
    if (options.surrogate !== 'sapo') metrics.clippedHigh += counted(clipped.high);
    return out;
  });
  return { loss, slopes, metrics };
}

/** Importance ratio of each token; with one ratio per sequence (GSPO), the geometric mean is used at every token. */
function ratiosOf(episode: Episode, logProbs: Float32Array, importance: 'token' | 'sequence'): Float64Array {
  const logRatios = Float64Array.from(logProbs, (logProb, j) => logProb - episode.logProbs[j]);
  if (importance === 'token') return logRatios.map(Math.exp);
  const mean = logRatios.reduce((sum, x) => sum + x, 0) / Math.max(logRatios.length, 1);
  return logRatios.fill(Math.exp(mean));
}

function policyTerm(ratio: number, advantage: number, logProb: number, options: GrpoLossOptions): Term {
  const { surrogate, clipLow, clipHigh, sapoPositive, sapoNegative } = options;
  if (surrogate === 'cispo') {
    const slope = -Math.min(ratio, 1 + clipHigh) * advantage;
    return { value: slope * logProb, slope };
  }
  if (surrogate === 'sapo') {
    const temperature = advantage > 0 ? sapoPositive : sapoNegative;
    const gate = 1 / (1 + Math.exp(-temperature * (ratio - 1)));
    return { value: (-4 * gate * advantage) / temperature, slope: -4 * gate * (1 - gate) * ratio * advantage };
  }
  const free = ratio * advantage;
  const clipped = Math.min(Math.max(ratio, 1 - clipLow), 1 + clipHigh) * advantage;
  return { value: -Math.min(free, clipped), slope: free <= clipped ? -free : 0 };
}

/** Value and derivative of the estimator with respect to logProb, from x = refLogProb - logProb. */
function klTerm(x: number, estimator: KlEstimator): Term {
  switch (estimator) {
    case 'k1':
      return { value: -x, slope: 1 };
    case 'k2':
      return { value: (x * x) / 2, slope: -x };
    case 'k3':
      return { value: Math.expm1(x) - x, slope: -Math.expm1(x) };
    case 'k3+':
      return { value: Math.expm1(x) - x, slope: -x };
  }
}
