import { util } from '@tensorflow/tfjs-core';
import { type AdamWOptions, kernelNames } from '../interface';
import { inPlace } from './in-place';
import { registerEmbedded } from './register';

/** [parameter, moment1, moment2], in place */
registerEmbedded<AdamWOptions>(kernelNames.adamW, (call, inputs, options, backend) => {
  const { learningRate, beta1, beta2, eps, weightDecay, step, gradScale } = options;
  const [p, m, v] = [inputs.parameter, inputs.moment1, inputs.moment2].map((tensor) => inPlace(backend, tensor));
  const n = util.sizeFromShape(p.shape);
  const corrections = [1 - beta1 ** step, 1 - beta2 ** step];
  call.adam_w(p, inputs.gradient, m, v, n, learningRate, beta1, beta2, eps, weightDecay, ...corrections, gradScale);
  return [p, m, v];
});
