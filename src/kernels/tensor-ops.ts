/** The operations of a decoder layer on tfjs tensors, for every backend; differentiable. */
import { add, matMul, mul, reshape, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import type { LayerWeights } from './decoder';
import { attend, type DecoderShape, embed, glu, type RopeTables, rmsNorm, rotate, type Sequences } from './interface';
import type { LayerOps } from './layer';

/** Shared by all layers of a pass. */
interface Over {
  /** int32 [n] */
  positions: Tensor1D;
  ropes: readonly RopeTables[];
  sequences: Sequences;
  shape: DecoderShape;
}

/** Rows of the embedding as input of the first layer. table [vocab, d], tokens int32 [n] -> [n, d]. */
export function embedTokens(table: Tensor2D, tokens: Tensor1D, scale: number): Tensor2D {
  const rows = embed(table, tokens);
  return scale === 1 ? rows : mul(rows, scale);
}

/** Attention over packed sequences, without a cache. */
export function tensorOps(weights: LayerWeights, { positions, ropes, sequences, shape }: Over): LayerOps<Tensor2D> {
  const { heads, kvHeads, headDim, scale } = shape;
  return {
    norm: (x, weight) => rmsNorm(x, weights[weight]!, shape.norm),
    headNorm: (x, weight) => reshape(rmsNorm(reshape(x, [-1, headDim]), weights[weight]!, shape.norm), x.shape),
    linear: (x, weight) => matMul(x, weights[weight], false, true),
    addBias: (x, bias) => add(x, weights[bias] as Tensor),
    rotate: (x, rope, bias) => rotate(x, bias && weights[bias], { positions, ...ropes[rope] }, headDim),
    attend: (q, k, v, window) => attend(q, k, v, sequences, { heads, kvHeads, headDim, scale, window }),
    glu,
    residual: (stream, given) => add(stream, given),
  };
}
