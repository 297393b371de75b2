import { add, div, mul, sqrt, square, sub } from '@tensorflow/tfjs-core';
import { type AdamWOptions, adamWLists } from '../interface';
import type { Reference, References } from './kernel';

/** -> parameters, first moments, second moments; new tensors, as tfjs operations cannot write in place. */
const adamW: Reference<AdamWOptions> = (inputs, options) => {
  const { learningRate, beta1, beta2, eps, weightDecay, step, gradScale } = options;
  const { parameters, moments1, moments2, gradients } = adamWLists(inputs);
  const g = gradients.map((gradient) => mul(gradient, gradScale));
  const m = moments1.map((moment, i) => add(mul(moment, beta1), mul(g[i], 1 - beta1)));
  const v = moments2.map((moment, i) => add(mul(moment, beta2), mul(square(g[i]), 1 - beta2)));
  const p = parameters.map((parameter, i) => {
    const denominator = add(div(sqrt(v[i]), Math.sqrt(1 - beta2 ** step)), eps);
    const update = mul(div(m[i], denominator), learningRate / (1 - beta1 ** step));
    return sub(mul(parameter, 1 - learningRate * weightDecay), update);
  });
  return [...p, ...m, ...v];
};

export const adamWReferences: References = { AdamW: adamW };
