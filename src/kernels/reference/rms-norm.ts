import { add, expandDims, mean, mul, rsqrt, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import type { NormShape } from '../interface';
import type { Reference, References } from './kernel';

/** -> [y [n, d], rstd [n]] */
const rmsNorm: Reference<NormShape> = ({ x, weight }, { eps, offset }) => {
  const rstd = rsqrt(add(mean(square(x), 1), eps));
  return [mul(mul(x, expandDims(rstd, 1)), factor(weight, offset)), rstd];
};

const factor = (weight: Tensor, offset: number) => (offset === 0 ? weight : add(weight, offset));

/**
 * With xhat = x * rstd and g = dy * (weight + offset): dx = rstd * (g - xhat * mean(g * xhat)), dWeight = sum over rows
 * of dy * xhat.
 */
const rmsNormGrad: Reference<NormShape> = ({ dy, x, weight, rstd }, { offset }) => {
  const scale = expandDims(rstd, 1);
  const xhat = mul(x, scale);
  const g = mul(dy, factor(weight, offset));
  const dx = mul(scale, sub(g, mul(xhat, mean(mul(g, xhat), 1, true))));
  return [dx, sum(mul(dy, xhat), 0)];
};

export const rmsNormReferences: References = { RmsNorm: rmsNorm, RmsNormGrad: rmsNormGrad };
