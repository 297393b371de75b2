import type { GrpoLossOptions, GrpoMetrics } from '../../losses/token-gradient';

export interface PlainGrpoInputs {
  logProbs: ArrayLike<number>;
  oldLogProbs: ArrayLike<number>;
  refLogProbs: ArrayLike<number> | null;
  advantages: ArrayLike<number>;
  mask: ArrayLike<number>;
  starts: ArrayLike<number>;
  /** The constant ratios that CISPO uses as weights, even when logProbs change. */
  cispoRatios?: ArrayLike<number>;
}

const klValue = { k1: (x: number) => -x, k2: (x: number) => x ** 2 / 2, k3: (x: number) => Math.exp(x) - x - 1 };

/** The loss as defined in interface.ts, token by token; k3+ has k3's value. */
export function plainGrpoLoss(inputs: PlainGrpoInputs, options: GrpoLossOptions): { loss: number } & GrpoMetrics {
  const { logProbs, oldLogProbs, refLogProbs, advantages, mask, starts, cispoRatios } = inputs;
  const { surrogate, clipLow, clipHigh, beta, normalizer } = options;
  const kl = klValue[options.kl === 'k3+' ? 'k3' : options.kl];
  const policyTerm = (ratio: number, advantage: number, i: number) => {
    if (surrogate === 'cispo') return -Math.min(cispoRatios?.[i] ?? ratio, 1 + clipHigh) * advantage * logProbs[i];
    if (surrogate === 'sapo') {
      const temperature = advantage > 0 ? options.sapoPositive : options.sapoNegative;
      return ((-4 / temperature) * advantage) / (1 + Math.exp(-temperature * (ratio - 1)));
    }
    const clipped = Math.min(Math.max(ratio, 1 - clipLow), 1 + clipHigh);
    return -Math.min(ratio * advantage, clipped * advantage);
  };
  const out = { loss: 0, tokens: 0, kl: 0, clippedLow: 0, clippedHigh: 0, ratio: 0 };
  for (let s = 0; s < advantages.length; s++) {
    const advantage = advantages[s];
    const tokens: number[] = [];
    for (let i = starts[s]; i < starts[s + 1]; i++) if (mask[i]) tokens.push(i);
    const change = tokens.reduce((total, i) => total + logProbs[i] - oldLogProbs[i], 0) / tokens.length;
    let sum = 0;
    for (const i of tokens) {
      const ratio = Math.exp(options.importance === 'sequence' ? change : logProbs[i] - oldLogProbs[i]);
      sum += policyTerm(ratio, advantage, i);
      if (refLogProbs) {
        sum += beta * kl(refLogProbs[i] - logProbs[i]);
        out.kl += kl(refLogProbs[i] - logProbs[i]);
      }
      out.ratio += ratio;
      if (options.importance === 'sequence' && i !== tokens[0]) continue;
      out.clippedLow += Number(surrogate === 'clip' && ratio < 1 - clipLow && advantage < 0);
      out.clippedHigh += Number(surrogate !== 'sapo' && ratio > 1 + clipHigh && advantage > 0);
    }
    out.tokens += tokens.length;
    if (tokens.length > 0) out.loss += sum / (options.aggregation === 'sequence' ? tokens.length : 1) / normalizer;
  }
  return out;
}
