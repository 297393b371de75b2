import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { type GluAttrs, gradientKernelNames, kernelNames } from '../interface';
import { numberOf } from '../native/table';
import { registerEmbedded } from './register';

const operations = { Add: 'add', Sub: 'subtract', Multiply: 'multiply', RealDiv: 'divide' } as const;

const bothFloat = (a: TensorInfo, b: TensorInfo) => a.dtype === 'float32' && b.dtype === 'float32';
const alike = (a: TensorInfo, b: TensorInfo) => bothFloat(a, b) && util.arraysEqual(a.shape, b.shape);

/** Whether `number` is a single number applied to all of `x`. */
const isNumber = (number: TensorInfo, x: TensorInfo) =>
  number.shape.length === 0 && x.shape.length > 0 && bothFloat(number, x);

/** Whether `row` is added to each row of the matrix `x`, as a bias is. */
const isRow = (row: TensorInfo, x: TensorInfo) =>
  row.shape.length === 1 && x.shape.length === 2 && row.shape[0] === x.shape[1] && bothFloat(row, x);

for (const [name, operation] of Object.entries(operations)) {
  registerEmbedded(name, (call, { a, b }, _, backend) => {
    if (name === 'Add' && isRow(b, a)) {
      const out = backend.output(a.shape);
      const [n, d] = a.shape;
      call.add_rows(a, b, out, n, d);
      return out;
    }
    if (name === 'Multiply' && isNumber(a, b)) [a, b] = [b, a];
    if (name === 'Multiply' && isNumber(b, a)) {
      const out = backend.output(a.shape);
      call.scale(a, out, util.sizeFromShape(a.shape), backend.values(b)[0]);
      return out;
    }
    if (!alike(a, b)) return null;
    const out = backend.output(a.shape);
    call.binary(numberOf('operation', operation), a, b, out, util.sizeFromShape(a.shape));
    return out;
  });
}

registerEmbedded('AddN', (call, inputs, _, backend) => {
  const tensors = Object.values(inputs) as TensorInfo[];
  if (!tensors.every((tensor) => alike(tensor, tensors[0]))) return null;
  const out = backend.output(tensors[0].shape);
  call.add_n(
    out,
    util.sizeFromShape(out.shape),
    tensors.length,
    tensors.map((tensor) => [tensor]),
  );
  return out;
});

/** Sum over the rows of a matrix: the gradient of a bias. */
registerEmbedded<{ axis: number | number[]; keepDims: boolean }>('Sum', (call, { x }, { axis, keepDims }, backend) => {
  if (x.dtype !== 'float32' || x.shape.length !== 2 || keepDims) return null;
  if (!util.arraysEqual(util.parseAxisParam(axis, x.shape), [0])) return null;
  const [n, d] = x.shape;
  const out = backend.output([d]);
  call.sum_rows(x, out, n, d);
  return out;
});

registerEmbedded<GluAttrs>(kernelNames.glu, (call, { gate, up }, { activation }, backend) => {
  const y = backend.output(gate.shape);
  call.glu(gate, up, y, util.sizeFromShape(gate.shape), numberOf('activation', activation));
  return y;
});

registerEmbedded<GluAttrs>(gradientKernelNames.glu, (call, { dy, gate, up }, { activation }, backend) => {
  const [dGate, dUp] = [backend.output(gate.shape), backend.output(up.shape)];
  call.glu_grad(dy, gate, up, dGate, dUp, util.sizeFromShape(gate.shape), numberOf('activation', activation));
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
  call.sum_squares(
    out,
    tensors.length,
    tensors.map((tensor) => [tensor, util.sizeFromShape(tensor.shape)]),
  );
  return out;
});
