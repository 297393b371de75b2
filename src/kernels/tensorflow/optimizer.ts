import { type AdamWOptions, adamWLists, kernelNames } from '../interface';
import { registerTensorFlow } from './register';

/** L2Loss is half the sum of squares, in one pass. */
registerTensorFlow(kernelNames.sumSquares, (ops, inputs) => {
  const halves = Object.values(inputs).map((x) => ops.op('L2Loss', [x]));
  return [ops.mul(ops.addN(halves), ops.scalar(2))];
});

/**
 * Parameters, first moments, second moments. Several weights are stacked into one. TensorFlow's own Adam updates
 * variables, which are created for one update: assignment shares the tensor's data, and stacked or decayed tensors are
 * new, so nothing is copied twice.
 */
registerTensorFlow<AdamWOptions>(kernelNames.adamW, (ops, inputs, options) => {
  const { scale, scalar, stack, unstack, variable, assigned, several, float } = ops;
  const { learningRate, beta1, beta2, eps, weightDecay, step, gradScale } = options;
  const { parameters, moments1, moments2, gradients } = adamWLists(inputs);
  const decayed = scale(stack(parameters), 1 - learningRate * weightDecay);
  const state = [decayed, stack(moments1), stack(moments2)].map(variable);
  // sqrt(v / c) + eps = (sqrt(v) + eps sqrt(c)) / sqrt(c), and the operation itself divides by sqrt(c).
  const small = eps * Math.sqrt(1 - beta2 ** step);
  const settings = [beta1 ** step, beta2 ** step, learningRate, beta1, beta2, small].map(scalar);
  several('ResourceApplyAdam', [...state, ...settings, scale(stack(gradients), gradScale)], [float('T')], 0);
  return state.flatMap((one) => unstack(assigned(one), parameters.length));
});
