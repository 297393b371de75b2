import { add, concat, gather, mul, neg, reshape, split, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import type { Reference, References } from './kernel';

interface RotateAttrs {
  headDim: number;
}

/** Rotates each head's pairs (i, i + headDim/2) by the angles of their positions. x [n, heads*headDim]. */
function turn(x: Tensor, positions: Tensor, cos: Tensor, sin: Tensor, headDim: number): Tensor {
  const [n, width] = x.shape as [number, number];
  const [low, high] = split(reshape(x, [n, width / headDim, headDim]), 2, 2);
  const c = reshape(gather(cos, positions as never), [n, 1, headDim / 2]);
  const s = reshape(gather(sin, positions as never), [n, 1, headDim / 2]);
  return reshape(concat([sub(mul(low, c), mul(high, s)), add(mul(high, c), mul(low, s))], 2), [n, width]);
}

const rotate: Reference<RotateAttrs> = ({ x, bias, positions, cos, sin }, { headDim }) =>
  turn(bias ? add(x, bias) : x, positions, cos, sin, headDim);

/**
 * The inverse rotation of dy; the gradient of the bias, which is added before the rotation, is the sum over rows. ->
 * [dx, dBias?]
 */
const rotateGrad: Reference<RotateAttrs & { bias: boolean }> = ({ dy, positions, cos, sin }, { headDim, bias }) => {
  const dx = turn(dy, positions, cos, neg(sin), headDim);
  return bias ? [dx, sum(dx, 0)] : [dx];
};

export const rotateReferences: References = { Rotate: rotate, RotateGrad: rotateGrad };
