import { util } from '@tensorflow/tfjs-core';
import { type AdamWOptions, adamWLists, kernelNames } from '../interface';
import { inPlace } from './in-place';
import { registerEmbedded } from './register';

/** Parameters, first moments, second moments; in place */
registerEmbedded<AdamWOptions>(kernelNames.adamW, (call, inputs, options, backend) => {
  const { learningRate, beta1, beta2, eps, weightDecay, step, gradScale } = options;
  const { parameters, moments1, moments2, gradients } = adamWLists(inputs);
  const [p, m, v] = [parameters, moments1, moments2].map((list) => list.map((tensor) => inPlace(backend, tensor)));
  const corrections = [1 - beta1 ** step, 1 - beta2 ** step] as const;
  const n = util.sizeFromShape(p[0].shape);
  for (const [i, g] of gradients.entries())
    call.adam_w(p[i], g, m[i], v[i], n, learningRate, beta1, beta2, eps, weightDecay, ...corrections, gradScale);
  return [...p, ...m, ...v];
});
