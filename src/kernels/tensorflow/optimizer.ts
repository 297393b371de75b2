import { type AdamWOptions, kernelNames } from '../interface';
import { registerTensorFlow } from './register';

/** L2Loss is half the sum of squares, in one pass. */
registerTensorFlow(kernelNames.sumSquares, (ops, inputs) => {
  const halves = Object.values(inputs).map((x) => ops.op('L2Loss', [x]));
  return [ops.mul(ops.addN(halves), ops.scalar(2))];
});

/** [parameter, moment1, moment2] */
registerTensorFlow<AdamWOptions>(kernelNames.adamW, (ops, { parameter, gradient, moment1, moment2 }, options) => {
  const { op, add, sub, mul, scale, scalar } = ops;
  const { learningRate, beta1, beta2, eps, weightDecay, step, gradScale } = options;
  const m = add(mul(moment1, scalar(beta1)), mul(gradient, scalar((1 - beta1) * gradScale)));
  const squares = mul(op('Square', [gradient]), scalar((1 - beta2) * gradScale * gradScale));
  const v = add(mul(moment2, scalar(beta2)), squares);
  const correction = Math.sqrt(1 - beta2 ** step);
  const denominator = add(op('Sqrt', [v]), scalar(eps * correction));
  const size = (learningRate * correction) / (1 - beta1 ** step);
  const update = mul(op('RealDiv', [m, denominator]), scalar(size));
  return [sub(scale(parameter, 1 - learningRate * weightDecay), update), m, v];
});
