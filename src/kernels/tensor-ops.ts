/** The operations of a decoder layer on tensors of tfjs, for every backend; gradients flow through all of them. */
import { add, matMul, reshape, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import type { LayerWeights } from './decoder';
import { attend, type DecoderShape, type Rope, rmsNorm, rotate, type Sequences, swiGlu } from './interface';
import type { LayerOps } from './layer';

/** Over packed sequences, without a cache. */
export function tensorOps(
  weights: LayerWeights,
  { rope, sequences, shape }: { rope: Rope; sequences: Sequences; shape: DecoderShape },
): LayerOps<Tensor2D> {
  const { headDim, eps } = shape;
  return {
    norm: (x, weight) => rmsNorm(x, weights[weight], eps),
    headNorm: (x, weight) => reshape(rmsNorm(reshape(x, [-1, headDim]), weights[weight]!, eps), x.shape),
    linear: (x, weight) => matMul(x, weights[weight], false, true),
    addBias: (x, bias) => add(x, weights[bias] as Tensor),
    rotate: (x, bias) => rotate(x, bias && weights[bias], rope, headDim),
    attend: (q, k, v) => attend(q, k, v, sequences, shape),
    glu: swiGlu,
    residual: (stream, given) => add(stream, given),
  };
}
