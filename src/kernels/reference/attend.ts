import {
  add,
  cast,
  exp,
  expandDims,
  greater,
  lessEqual,
  logicalOr,
  logSumExp,
  matMul,
  mul,
  range,
  reshape,
  scalar,
  sub,
  sum,
  type Tensor,
} from '@tensorflow/tfjs-core';
import type { AttentionShape } from '../interface';
import type { Reference, References } from './kernel';
import { type Padding, pack, pad, padding } from './padding';

/** Scaled scores [sequences * kvHeads, rep * length, length], with -1e30 for tokens outside of the mask. */
function causalScores(q: Tensor, k: Tensor, at: Padding, { scale, window }: AttentionShape): Tensor {
  const scores = mul(matMul(q, k, false, true), scale);
  const places = range(0, at.length, 1, 'int32');
  const hidden = unseen(expandDims(places, 0), expandDims(places, 1), window);
  return reshape(add(reshape(scores, [-1, at.length, at.length]), hidden), scores.shape);
}

/**
 * -1e30 (instead of infinity, to avoid NaN) where a key is in a query's future, or before its window; else 0. Positions
 * int32, broadcast.
 */
export function unseen(keys: Tensor, queries: Tensor, window?: number | null): Tensor {
  const future = greater(keys, queries);
  const hidden = window == null ? future : logicalOr(future, lessEqual(keys, sub(queries, scalar(window, 'int32'))));
  return mul(cast(hidden, 'float32'), -1e30);
}

/**
 * Padding after a sequence's end is in the future of all its tokens, so the causal mask hides it too. -> [out, lse [n,
 * heads]]
 */
const attend: Reference<AttentionShape> = ({ q, k, v, starts }, shape) => {
  const { heads, kvHeads } = shape;
  const at = padding(starts);
  const scores = causalScores(pad(q, at, heads, kvHeads), pad(k, at, kvHeads, kvHeads), at, shape);
  const lse = logSumExp(scores, 2, true);
  const out = matMul(exp(sub(scores, lse)), pad(v, at, kvHeads, kvHeads));
  return [pack(out, at, heads), pack(lse, at, heads)];
};

/**
 * With p = exp(scores - lse): dv = p^T dy, dp = dy v^T, ds = p * (dp - rowsum(dy * out)) * scale, dq = ds k, dk = ds^T
 * q (FlashAttention, arXiv 2205.14135, appendix B.2). dy is zero in the padding, so the padding contributes nothing.
 */
const attendGrad: Reference<AttentionShape> = ({ dy, q, k, v, out, lse, starts }, shape) => {
  const { heads, kvHeads, scale } = shape;
  const at = padding(starts);
  const [queries, keys, values] = [
    pad(q, at, heads, kvHeads),
    pad(k, at, kvHeads, kvHeads),
    pad(v, at, kvHeads, kvHeads),
  ];
  const padded = pad(dy, at, heads, kvHeads);
  const width = padded.shape[2]!;
  const dOut = reshape(mul(reshape(padded, [at.sequences, heads, at.length, width]), at.present), padded.shape);
  const p = exp(sub(causalScores(queries, keys, at, shape), pad(lse, at, heads, kvHeads)));
  const delta = sum(mul(dOut, pad(out, at, heads, kvHeads)), 2, true);
  const dScores = mul(mul(p, sub(matMul(dOut, values, false, true), delta)), scale);
  const dv = matMul(p, dOut, true, false);
  return [
    pack(matMul(dScores, keys), at, heads),
    pack(matMul(dScores, queries, true, false), at, kvHeads),
    pack(dv, at, kvHeads),
  ];
};

export const attendReferences: References = { Attend: attend, AttendGrad: attendGrad };
