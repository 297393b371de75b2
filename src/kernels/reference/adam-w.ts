import { add, div, mul, sqrt, square, sub } from '@tensorflow/tfjs-core';
import type { AdamWOptions } from '../interface';
import type { Reference, References } from './kernel';

/** -> [parameter, moment1, moment2], new tensors: tfjs operations cannot write in place. */
const adamW: Reference<AdamWOptions> = ({ parameter, gradient, moment1, moment2 }, options) => {
  const { learningRate, beta1, beta2, eps, weightDecay, step, gradScale } = options;
  const g = mul(gradient, gradScale);
  const m = add(mul(moment1, beta1), mul(g, 1 - beta1));
  const v = add(mul(moment2, beta2), mul(square(g), 1 - beta2));
  const denominator = add(div(sqrt(v), Math.sqrt(1 - beta2 ** step)), eps);
  const update = mul(div(m, denominator), learningRate / (1 - beta1 ** step));
  return [sub(mul(parameter, 1 - learningRate * weightDecay), update), m, v];
};

export const adamWReferences: References = { AdamW: adamW };
