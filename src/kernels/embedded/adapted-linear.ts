import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { type Adaptation, gradientKernelNames, kernelNames } from '../interface';
import type { Call, EmbeddedBackend } from './backend';
import { registerEmbedded } from './register';

/** Calls `use` with dropout(x): x itself at rate 0, else a temporary tensor. */
function withDropped<T>(
  call: Call,
  x: TensorInfo,
  { dropout, seed }: Adaptation,
  backend: EmbeddedBackend,
  use: (x: TensorInfo) => T,
): T {
  if (dropout === 0) return use(x);
  const dropped = backend.output(x.shape);
  call.dropout(x, dropped, util.sizeFromShape(x.shape), dropout, seed);
  try {
    return use(dropped);
  } finally {
    backend.disposeIntermediateTensorInfo(dropped);
  }
}

const scaleInPlace = (call: Call, x: TensorInfo, factor: number) =>
  call.scale(x, x, util.sizeFromShape(x.shape), factor);

/** [y, h]; the adapter's part is added to the layer's own product in place, which saves a second [n, out] tensor. */
registerEmbedded<Adaptation>(kernelNames.adaptedLinear, (call, { x, weight, a, b }, attrs, backend) => {
  const [n, inner] = x.shape;
  const [outer, rank] = b.shape;
  const [y, h] = [backend.output([n, outer]), backend.output([n, rank])];
  withDropped(call, x, attrs, backend, (dropped) => call.gemm(dropped, a, h, 0, 1, 1, n, rank, inner, 0, 0, 0));
  scaleInPlace(call, h, attrs.scale);
  call.gemm(x, weight, y, 0, 1, 1, n, outer, inner, 0, 0, 0);
  call.gemm(h, b, y, 0, 1, 1, n, outer, rank, 0, 0, 1);
  return [y, h];
});

/** [dx, da, db] */
registerEmbedded<Adaptation>(gradientKernelNames.adaptedLinear, (call, inputs, attrs, backend) => {
  const { dy, x, weight, a, b, h } = inputs;
  const [n, inner] = x.shape;
  const [outer, rank] = b.shape;
  const [dx, da, db] = [x, a, b].map(({ shape }) => backend.output(shape));
  const dh = backend.output([n, rank]);
  call.gemm(dy, b, dh, 0, 0, 1, n, rank, outer, 0, 0, 0);
  scaleInPlace(call, dh, attrs.scale);
  if (attrs.dropout === 0) call.gemm(dh, a, dx, 0, 0, 1, n, inner, rank, 0, 0, 0);
  else {
    const through = backend.output(x.shape);
    call.gemm(dh, a, through, 0, 0, 1, n, inner, rank, 0, 0, 0);
    call.dropout(through, dx, util.sizeFromShape(x.shape), attrs.dropout, attrs.seed);
    backend.disposeIntermediateTensorInfo(through);
  }
  call.gemm(dy, weight, dx, 0, 0, 1, n, inner, outer, 0, 0, 1);
  withDropped(call, x, attrs, backend, (dropped) => call.gemm(dh, dropped, da, 1, 0, 1, rank, inner, n, 0, 0, 0));
  call.gemm(dy, h, db, 1, 0, 1, outer, rank, n, 0, 0, 0);
  backend.disposeIntermediateTensorInfo(dh);
  return [dx, da, db];
});
