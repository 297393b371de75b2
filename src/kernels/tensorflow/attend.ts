import { type AttentionShape, gradientKernelNames, kernelNames } from '../interface';
import type { Handle } from './binding';
import type { Ops } from './ops';
import { type Blocks, blocksOf, type PaddedBlock, pack, pad } from './padding';
import { registerTensorFlow } from './register';

/** Attention probabilities, and their scores. q (already scaled), k: padded. */
function weigh(ops: Ops, q: Handle, k: Handle, { length }: PaddedBlock, mask: Handle): { p: Handle; scores: Handle } {
  const raw = ops.matMul(q, k, false, true);
  const scores = ops.reshape(ops.add(ops.reshape(raw, [-1, length, length]), mask), raw.shape);
  return { p: ops.op('Softmax', [scores]), scores };
}

/** [out, lse [n, heads]]. The log-sum-exp is the largest score minus the logarithm of its probability. */
registerTensorFlow<AttentionShape>(kernelNames.attend, (ops, { q, k, v }, shape, { backend, inputs }) => {
  const { out, lse } = attendBlocks(ops, { q, k, v }, blocksOf(ops, backend, inputs.starts, shape.heads), shape);
  return [out, lse];
});

/** Causal attention within the sequences of the blocks. */
export function attendBlocks(
  ops: Ops,
  { q, k, v }: { q: Handle; k: Handle; v: Handle },
  { blocks, mask }: Blocks,
  { heads, kvHeads, scale, window }: AttentionShape,
): { out: Handle; lse: Handle } {
  const scaled = ops.mul(q, ops.scalar(scale));
  const parts = blocks.map((block) => {
    const [queries, keys, values] = [
      pad(ops, scaled, block, heads, kvHeads),
      padKv(ops, k, block, kvHeads),
      padKv(ops, v, block, kvHeads),
    ];
    const { p, scores } = weigh(ops, queries, keys, block, mask(ops, block.length, window));
    const out = pack(ops, ops.matMul(p, values), block, heads);
    const lse = ops.sub(ops.max(scores, 2, true), ops.op('Log', [ops.max(p, 2, true)]));
    const packed = { out, lse: pack(ops, lse, block, heads) };
    for (const large of [p, scores]) ops.free(large);
    return packed;
  });
  const joined = (name: 'out' | 'lse') => concat(ops, parts, name);
  return { out: joined('out'), lse: joined('lse') };
}

const padKv = (ops: Ops, x: Handle, block: PaddedBlock, kvHeads: number) => pad(ops, x, block, kvHeads, kvHeads);

const concat = <K extends PropertyKey>(ops: Ops, parts: readonly Record<K, Handle>[], key: K) =>
  ops.concat(
    parts.map((part) => part[key]),
    0,
  );

/**
 * With p = softmax(scores): dv = pᵀ dy, ds = p (dy vᵀ - rowsum(dy out)), dq = ds k, dk = dsᵀ q (FlashAttention, arXiv
 * 2205.14135, B.2).
 */
registerTensorFlow<AttentionShape>(gradientKernelNames.attend, (ops, given, shape, { backend, inputs }) => {
  const { heads, kvHeads, headDim, scale, window } = shape;
  const { dy, q, k, v, out } = given;
  const n = q.shape[0];
  const { blocks, mask } = blocksOf(ops, backend, inputs.starts, heads);
  const scaled = ops.mul(q, ops.scalar(scale));
  const deltas = ops.sum(ops.reshape(ops.mul(dy, out), [n, heads, headDim]), 2);
  const parts = blocks.map((block) => {
    const queries = pad(ops, scaled, block, heads, kvHeads);
    const [keys, values] = [padKv(ops, k, block, kvHeads), padKv(ops, v, block, kvHeads)];
    const dOut = pad(ops, dy, block, heads, kvHeads, true);
    const delta = pad(ops, deltas, block, heads, kvHeads, true);
    const { p, scores } = weigh(ops, queries, keys, block, mask(ops, block.length, window));
    const dWeights = ops.matMul(dOut, values, false, true);
    const dScores = ops.mul(p, ops.sub(dWeights, delta));
    const results = [
      ops.mul(pack(ops, ops.matMul(dScores, keys), block, heads), ops.scalar(scale)),
      pack(ops, ops.matMul(dScores, queries, true, false), block, kvHeads),
      pack(ops, ops.matMul(p, dOut, true, false), block, kvHeads),
    ];
    for (const large of [p, scores, dWeights, dScores]) ops.free(large);
    return results;
  });
  return [0, 1, 2].map((i) => concat(ops, parts, i));
});
