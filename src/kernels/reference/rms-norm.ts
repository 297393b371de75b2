import { add, expandDims, mean, mul, rsqrt, square, sub, sum } from '@tensorflow/tfjs-core';
import type { Reference, References } from './kernel';

/** -> [y [n, d], rstd [n]] */
const rmsNorm: Reference<{ eps: number }> = ({ x, weight }, { eps }) => {
  const rstd = rsqrt(add(mean(square(x), 1), eps));
  return [mul(mul(x, expandDims(rstd, 1)), weight), rstd];
};

/**
 * With xhat = x * rstd and g = dy * weight: dx = rstd * (g - xhat * mean(g * xhat)), dWeight = sum over rows of dy *
 * xhat.
 */
const rmsNormGrad: Reference = ({ dy, x, weight, rstd }) => {
  const scale = expandDims(rstd, 1);
  const xhat = mul(x, scale);
  const g = mul(dy, weight);
  const dx = mul(scale, sub(g, mul(xhat, mean(mul(g, xhat), 1, true))));
  return [dx, sum(mul(dy, xhat), 0)];
};

export const rmsNormReferences: References = { RmsNorm: rmsNorm, RmsNormGrad: rmsNormGrad };
