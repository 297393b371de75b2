import {
  add,
  cast,
  clipByValue,
  div,
  exp,
  expm1,
  fill,
  gather,
  greater,
  less,
  lessEqual,
  logicalAnd,
  maximum,
  minimum,
  mul,
  neg,
  notEqual,
  reshape,
  scatterND,
  sigmoid,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type { KlEstimator } from '../../engine-data/training';
import type { GrpoLossOptions } from '../interface';
import type { Reference, References } from './kernel';

/** int32 [n]: the sequence that each token belongs to. */
function sequenceOf(starts: Tensor): Tensor1D {
  const offsets = starts.dataSync();
  const ids = new Int32Array(offsets[offsets.length - 1]);
  for (let s = 0; s + 1 < offsets.length; s++) ids.fill(s, offsets[s], offsets[s + 1]);
  return tensor1d(ids, 'int32');
}

/** Value and derivative of the estimator with respect to logProb, from x = refLogProb - logProb. */
function klTerm(x: Tensor, estimator: KlEstimator): { value: Tensor; slope: Tensor } {
  const k3 = () => sub(expm1(x), x);
  switch (estimator) {
    case 'k1':
      return { value: neg(x), slope: add(zerosLike(x), 1) };
    case 'k2':
      return { value: mul(square(x), 0.5), slope: neg(x) };
    case 'k3':
      return { value: k3(), slope: neg(expm1(x)) };
    case 'k3+':
      return { value: k3(), slope: neg(x) };
  }
}

/** A token's loss term without the KL penalty, and its derivative with respect to logProb; formulas in interface.ts. */
function policyTerm(ratio: Tensor, advantage: Tensor, logProbs: Tensor, options: GrpoLossOptions) {
  const { surrogate, clipLow, clipHigh, sapoPositive, sapoNegative } = options;
  if (surrogate === 'cispo') {
    const slope = neg(mul(minimum(ratio, 1 + clipHigh), advantage));
    return { value: mul(slope, logProbs), slope };
  }
  if (surrogate === 'sapo') {
    const temperature = where(greater(advantage, 0), fill(advantage.shape, sapoPositive), sapoNegative);
    const gate = sigmoid(mul(temperature, sub(ratio, 1)));
    const slope = mul(mul(mul(gate, sub(1, gate)), mul(ratio, advantage)), -4);
    return { value: mul(div(mul(gate, advantage), temperature), -4), slope };
  }
  const free = mul(ratio, advantage);
  const clipped = mul(clipByValue(ratio, 1 - clipLow, 1 + clipHigh), advantage);
  const active = cast(lessEqual(free, clipped), 'float32');
  return { value: neg(minimum(free, clipped)), slope: neg(mul(free, active)) };
}

/**
 * -> [loss [], dLogProbs [n], metrics [8]]. The gradient of GSPO's ratio s = exp(mean_t(l_t - old_t)) for one token is
 * s / tokens; as all tokens of a sequence share one weight, the sum gives each the gradient that it would have with s
 * as its own ratio.
 */
const grpoLoss: Reference<GrpoLossOptions> = (inputs, options) => {
  const { logProbs, oldLogProbs, refLogProbs, advantages, starts } = inputs;
  const { surrogate, aggregation, importance, clipLow, clipHigh, beta, kl, normalizer } = options;
  if (beta !== 0 && !refLogProbs) throw new Error('A KL term needs the log-probabilities of the reference');
  const sequences = advantages.shape[0]!;
  const sequence = sequenceOf(starts);
  const bySequence = (x: Tensor) => scatterND(reshape(sequence, [-1, 1]), x, [sequences]);
  const unmasked = notEqual(inputs.mask, 0);
  const mask = cast(unmasked, 'float32');
  const valid = (x: Tensor) => where(unmasked, x, 0); // masked positions may contain anything, even NaN

  const tokens = maximum(bySequence(mask), 1);
  const logRatio = valid(sub(logProbs, oldLogProbs));
  const ratio =
    importance === 'token' ? exp(logRatio) : exp(gather(div(bySequence(mul(logRatio, mask)), tokens), sequence));
  const advantage = gather(advantages, sequence);
  let { value, slope } = policyTerm(ratio, advantage, valid(logProbs), options);
  let klSum: Tensor = zerosLike(sum(mask));
  if (refLogProbs) {
    const term = klTerm(valid(sub(refLogProbs, logProbs)), kl);
    value = add(value, mul(term.value, beta));
    slope = add(slope, mul(term.slope, beta));
    klSum = sum(mul(term.value, mask));
  }

  const share = div(aggregation === 'sequence' ? div(mask, gather(tokens, sequence)) : mask, normalizer);
  const none = zerosLike(klSum);
  const count = (condition: Tensor) => {
    const tokenwise = mul(cast(condition, 'float32'), mask);
    return sum(importance === 'token' ? tokenwise : cast(greater(bySequence(tokenwise), 0), 'float32'));
  };
  const low = surrogate === 'clip' ? count(logicalAnd(less(ratio, 1 - clipLow), less(advantage, 0))) : none;
  const high = surrogate === 'sapo' ? none : count(logicalAnd(greater(ratio, 1 + clipHigh), greater(advantage, 0)));
  const metrics = stack([sum(mask), klSum, low, high, sum(mul(ratio, mask)), none, none, none]);
  return [sum(mul(value, share)), mul(slope, share), metrics];
};

export const grpoLossReferences: References = { GrpoLoss: grpoLoss };
