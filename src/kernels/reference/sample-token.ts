import {
  argMax,
  cast,
  cumsum,
  div,
  expandDims,
  gatherND,
  greater,
  greaterEqual,
  less,
  logicalAnd,
  logicalOr,
  logSumExp,
  max,
  mul,
  range,
  reshape,
  scatterND,
  slice,
  softmax,
  stack,
  sub,
  type Tensor,
  type Tensor2D,
  tile,
  topk,
} from '@tensorflow/tfjs-core';
import type { Sampling } from '../../engine-data/sampling';
import type { Reference, References } from './kernel';

/**
 * 1 for kept tokens, 0 for the rest, [rows, vocab]. Each filter keeps a prefix of the tokens sorted by probability
 * (ties:
 * lower id first), so the mask is computed in that order and mapped back to id order.
 */
function kept(logits: Tensor2D, { topK, topP, minP }: Sampling): Tensor {
  const [rows, vocab] = logits.shape;
  const k = topK > 0 ? Math.min(topK, vocab) : vocab;
  const { values, indices } = topk(logits, k);
  const p = softmax(values);
  // Top-p: a token stays if the mass of those before it is less than topP. The first one always stays.
  const massBefore = cumsum(p, 1, true);
  const enough = topP < 1 ? less(massBefore, Math.max(topP, 1e-30)) : greaterEqual(p, 0);
  const keep = logicalAnd(enough, greaterEqual(p, mul(slice(p, [0, 0], [rows, 1]), minP)));
  const row = tile(expandDims(range(0, rows, 1, 'int32'), 1), [1, k]);
  return scatterND(reshape(stack([row, indices], 2), [-1, 2]), reshape(cast(keep, 'float32'), [-1]), [rows, vocab]);
}

/** -> [ids int32, logProbs], both [rows] */
const sampleToken: Reference<Sampling> = ({ logits, uniforms }, sampling) => {
  const scaled = (sampling.temperature > 0 ? div(logits, sampling.temperature) : logits) as Tensor2D;
  const ids = sampling.temperature > 0 ? draw(scaled, uniforms, sampling) : argMax(scaled, 1);
  const chosen = gatherND(scaled, stack([range(0, scaled.shape[0], 1, 'int32'), ids], 1));
  return [ids, sub(chosen, logSumExp(scaled, 1))];
};

function draw(logits: Tensor2D, uniforms: Tensor, sampling: Sampling): Tensor {
  const all = sampling.topK <= 0 && sampling.topP >= 1 && sampling.minP <= 0;
  const p = softmax(logits);
  const cumulative = cumsum(all ? p : mul(p, kept(logits, sampling)), 1);
  const total = max(cumulative, 1, true);
  // The second condition handles a uniform so close to 1 that its product with the total rounds up to the total.
  const reached = logicalOr(greater(cumulative, mul(expandDims(uniforms, 1), total)), greaterEqual(cumulative, total));
  return argMax(cast(reached, 'int32'), 1);
}

export const sampleTokenReferences: References = { SampleToken: sampleToken };
