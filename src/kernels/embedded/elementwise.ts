import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { gradientKernelNames, kernelNames } from '../interface';
import { registerEmbedded } from './register';

const operations = { Add: 0, Sub: 1, Multiply: 2, RealDiv: 3 };

const alike = (a: TensorInfo, b: TensorInfo) =>
  a.dtype === 'float32' && b.dtype === 'float32' && util.arraysEqual(a.shape, b.shape);

/** Is `number` one number to be applied to all of `x`? */
const isNumber = (number: TensorInfo, x: TensorInfo) =>
  number.shape.length === 0 && x.shape.length > 0 && number.dtype === 'float32' && x.dtype === 'float32';

for (const [name, operation] of Object.entries(operations)) {
  registerEmbedded(name, (call, { a, b }, _, backend) => {
    if (name === 'Multiply' && isNumber(a, b)) [a, b] = [b, a];
    if (name === 'Multiply' && isNumber(b, a)) {
      const out = backend.output(a.shape);
      call.scale(a, out, util.sizeFromShape(a.shape), backend.values(b)[0]);
      return out;
    }
    if (!alike(a, b)) return null;
    const out = backend.output(a.shape);
    call.binary(operation, a, b, out, util.sizeFromShape(a.shape));
    return out;
  });
}

registerEmbedded('AddN', (call, inputs, _, backend) => {
  const tensors = Object.values(inputs) as TensorInfo[];
  if (!tensors.every((tensor) => alike(tensor, tensors[0]))) return null;
  const out = backend.output(tensors[0].shape);
  call.add_n(out, util.sizeFromShape(out.shape), tensors.length, ...tensors);
  return out;
});

registerEmbedded(kernelNames.swiGlu, (call, { gate, up }, _, backend) => {
  const y = backend.output(gate.shape);
  call.swi_glu(gate, up, y, util.sizeFromShape(gate.shape));
  return y;
});

registerEmbedded(gradientKernelNames.swiGlu, (call, { dy, gate, up }, _, backend) => {
  const [dGate, dUp] = [backend.output(gate.shape), backend.output(up.shape)];
  call.swi_glu_grad(dy, gate, up, dGate, dUp, util.sizeFromShape(gate.shape));
  return [dGate, dUp];
});

registerEmbedded<{ rate: number; seed: number }>(kernelNames.seededDropout, (call, { x }, { rate, seed }, backend) => {
  const y = backend.output(x.shape);
  call.dropout(x, y, util.sizeFromShape(x.shape), rate, seed);
  return y;
});

registerEmbedded(kernelNames.sumSquares, (call, inputs, _, backend) => {
  const tensors = Object.values(inputs) as TensorInfo[];
  const out = backend.output([]);
  call.sum_squares(out, tensors.length, ...tensors.flatMap((tensor) => [tensor, util.sizeFromShape(tensor.shape)]));
  return out;
});
