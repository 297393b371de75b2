/** Kernels over the vocabulary: log-probabilities in chunks of rows, and sampling of the next token. */
import type { Sampling } from '../../engine-data/sampling';
import { gradientKernelNames, kernelNames } from '../interface';
import type { Handle } from './binding';
import type { Ops } from './ops';
import { registerTensorFlow } from './register';

interface Attrs {
  temperature: number;
  frozen?: boolean;
}

/** Maximum logits of a chunk: 32 MB of float32. */
const logitsOfChunk = 2 ** 23;

interface RowChunk {
  hidden: Handle;
  ids: Handle;
  from: number;
  rows: number;
}

/** Calls `use` with as many rows at a time as a chunk may have; intermediates of a chunk are freed before the next. */
function byChunks<T>(ops: Ops, hidden: Handle, weight: Handle, ids: Handle, use: (chunk: RowChunk) => T): T[] {
  const [n, d] = hidden.shape;
  const most = Math.max(1, Math.floor(logitsOfChunk / weight.shape[0]));
  if (most >= n) return [use({ hidden, ids, from: 0, rows: n })];
  return Array.from({ length: Math.ceil(n / most) }, (_, i) => {
    const [from, rows] = [i * most, Math.min(most, n - i * most)];
    return use({ hidden: ops.slice(hidden, [from, 0], [rows, d]), ids: ops.slice(ids, [from], [rows]), from, rows });
  });
}

/** [loss = lse - logit of the id, p - onehot] of a chunk, and its logits. */
function crossEntropy(ops: Ops, { hidden, ids }: RowChunk, weight: Handle, temperature: number) {
  const product = ops.matMul(hidden, weight, false, true);
  const logits = ops.scale(product, 1 / temperature);
  if (logits !== product) ops.free(product);
  const [loss, slope] = ops.several('SparseSoftmaxCrossEntropyWithLogits', [logits, ids], [], 2);
  return { logits, loss, slope };
}

/**
 * [logProbs, entropy, lse], all [n]. entropy = lse - sum p logit = loss - sum (p - onehot) logit; the logit of the id
 * is the product of the row with the id's weight.
 */
registerTensorFlow<Attrs>(kernelNames.tokenLogProbs, (ops, { hidden, weight, ids }, { temperature }) => {
  const { op, sub, mul, add, sum, concat, reshape, constant } = ops;
  const parts = byChunks(ops, hidden, weight, ids, (chunk) => {
    const { logits, loss, slope } = crossEntropy(ops, chunk, weight, temperature);
    const products = mul(slope, logits);
    const entropy = sub(loss, sum(products, 1));
    const column = reshape(chunk.ids, [chunk.rows, 1]);
    const chosen = op('GatherV2', [logits, column, constant([1], true)], [ops.int('batch_dims', 1)]);
    const lse = add(loss, reshape(chosen, [chunk.rows]));
    for (const large of [logits, slope, products]) ops.free(large);
    return [op('Neg', [loss]), entropy, lse];
  });
  return [0, 1, 2].map((output) =>
    concat(
      parts.map((part) => part[output]),
      0,
    ),
  );
});

/** dLogits = dy (onehot - p) / temperature; the saved log-sum-exp is not needed. */
registerTensorFlow<Attrs>(gradientKernelNames.tokenLogProbs, (ops, { dy, hidden, weight, ids }, attrs) => {
  const { temperature, frozen } = attrs;
  const factors = ops.mul(dy, ops.scalar(-1 / temperature));
  let dWeight: Handle | null = null;
  const dHidden = byChunks(ops, hidden, weight, ids, (chunk) => {
    const { logits, slope } = crossEntropy(ops, chunk, weight, temperature);
    ops.free(logits);
    const factor = chunk.rows === factors.shape[0] ? factors : ops.slice(factors, [chunk.from], [chunk.rows]);
    const dLogits = ops.mul(slope, ops.reshape(factor, [chunk.rows, 1]));
    ops.free(slope);
    if (!frozen) {
      const part = ops.matMul(dLogits, chunk.hidden, true, false);
      const before = dWeight;
      dWeight = before ? ops.add(before, part) : part;
      if (before) for (const old of [before, part]) ops.free(old);
    }
    const result = ops.matMul(dLogits, weight);
    ops.free(dLogits);
    return result;
  });
  return dWeight ? [ops.concat(dHidden, 0), dWeight] : [ops.concat(dHidden, 0)];
});

/**
 * [ids, logProbs]. The first id whose cumulative probability exceeds uniform * total; at most the first that reaches
 * the total, in case the product rounds up to it.
 */
registerTensorFlow<Sampling>(kernelNames.sampleToken, (ops, { logits, uniforms }, sampling) => {
  const { op, scale, reshape, cast, constant } = ops;
  const [rows] = logits.shape;
  const tempered = sampling.temperature > 0 ? scale(logits, 1 / sampling.temperature) : logits;
  const ids =
    sampling.temperature > 0
      ? draw(ops, tempered, uniforms, sampling)
      : cast(op('ArgMax', [tempered, constant([1], true)]), constant([1], true).dtype);
  const [loss] = ops.several('SparseSoftmaxCrossEntropyWithLogits', [tempered, ids], [], 2);
  return [reshape(ids, [rows]), op('Neg', [loss])];
});

function draw(ops: Ops, logits: Handle, uniforms: Handle, sampling: Sampling): Handle {
  const { op, mul, reshape, constant, slice } = ops;
  const [rows, vocab] = logits.shape;
  const all = sampling.topK <= 0 && sampling.topP >= 1 && sampling.minP <= 0;
  const p = op('Softmax', [logits]);
  const cumulative = op('Cumsum', [all ? p : mul(p, kept(ops, logits, sampling)), constant([1], true)]);
  const total = slice(cumulative, [0, vocab - 1], [rows, 1]);
  const exceeding = op('UpperBound', [cumulative, mul(reshape(uniforms, [rows, 1]), total)]);
  const full = op('LowerBound', [cumulative, total]);
  return reshape(op('Minimum', [exceeding, full]), [rows]);
}

/**
 * 1 for the tokens that the filters keep, 0 for the rest, [rows, vocab]; computed in order of probability (ties: the
 * lower id first).
 */
function kept(ops: Ops, logits: Handle, { topK, topP, minP }: Sampling): Handle {
  const { op, mul, scalar, slice, reshape, cast, constant, concat } = ops;
  const [rows, vocab] = logits.shape;
  const k = topK > 0 ? Math.min(topK, vocab) : vocab;
  const [values, indices] = ops.several('TopKV2', [logits, constant([k], true)], [], 2);
  const p = op('Softmax', [values]);
  const before = op('Cumsum', [p, constant([1], true)], [ops.bool('exclusive', true)]);
  const enough = topP < 1 ? op('Less', [before, scalar(Math.max(topP, 1e-30))]) : op('GreaterEqual', [p, scalar(0)]);
  const likely = op('GreaterEqual', [p, mul(slice(p, [0, 0], [rows, 1]), scalar(minP))]);
  const keep = cast(op('LogicalAnd', [enough, likely]), logits.dtype);
  const row = op('Range', [constant([0], true), constant([rows], true), constant([1], true)]);
  const places = op('Tile', [reshape(row, [rows, 1]), constant([1, k])]);
  const pairs = concat([reshape(places, [rows * k, 1]), reshape(indices, [rows * k, 1])], 1);
  return op('ScatterNd', [pairs, reshape(keep, [rows * k]), constant([rows, vocab])]);
}
