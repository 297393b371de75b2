import { gradientKernelNames, kernelNames, type NormShape } from '../interface';
import { registerEmbedded } from './register';

registerEmbedded(kernelNames.embed, (call, { table, ids }, _, backend) => {
  const [n, d] = [ids.shape[0], table.shape[1]];
  checkIds(backend.values(ids), table.shape[0]);
  const out = backend.output([n, d]);
  call.embed(table, ids, out, n, d);
  return out;
});

registerEmbedded<{ vocab: number }>(gradientKernelNames.embed, (call, { dy, ids }, { vocab }, backend) => {
  const [n, d] = dy.shape;
  checkIds(backend.values(ids), vocab);
  const dTable = backend.output([vocab, d]);
  call.embed_grad(dy, ids, dTable, n, d, vocab);
  return dTable;
});

registerEmbedded<NormShape>(kernelNames.rmsNorm, (call, { x, weight }, { eps, offset }, backend) => {
  const [n, d] = x.shape;
  const [y, rstd] = [backend.output(x.shape), backend.output([n])];
  call.rms_norm(x, weight, y, rstd, n, d, eps, offset);
  return [y, rstd];
});

registerEmbedded<NormShape>(gradientKernelNames.rmsNorm, (call, { dy, x, weight, rstd }, { offset }, backend) => {
  const [n, d] = x.shape;
  const [dx, dWeight] = [backend.output(x.shape), backend.output(weight.shape)];
  call.rms_norm_grad(dy, x, weight, rstd, dx, dWeight, n, d, offset);
  return [dx, dWeight];
});

registerEmbedded<{ headDim: number }>(kernelNames.rotate, (call, inputs, { headDim }, backend) => {
  const { x, bias, positions, cos, sin } = inputs;
  const [n, d] = x.shape;
  checkIds(backend.values(positions), cos.shape[0]);
  const y = backend.output(x.shape);
  call.rotate(x, bias, positions, cos, sin, y, n, d / headDim, headDim);
  return y;
});

registerEmbedded<{ headDim: number; bias: boolean }>(gradientKernelNames.rotate, (call, inputs, attrs, backend) => {
  const { dy, positions, cos, sin } = inputs;
  const [n, d] = dy.shape;
  checkIds(backend.values(positions), cos.shape[0]);
  const dx = backend.output(dy.shape);
  const dBias = attrs.bias ? backend.output([d]) : null;
  call.rotate_grad(dy, positions, cos, sin, dx, dBias, n, d / attrs.headDim, attrs.headDim);
  return dBias ? [dx, dBias] : [dx];
});

/** The kernels do not check indices: an id out of range would access other memory. */
export function checkIds(ids: ArrayLike<number>, count: number): void {
  for (let i = 0; i < ids.length; i++) {
    if (!(ids[i] >= 0 && ids[i] < count))
      throw new RangeError(`Index ${ids[i]} at place ${i} is not within [0, ${count})`);
  }
}
