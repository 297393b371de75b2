import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { Call, EmbeddedBackend } from './backend';
import { registerEmbedded } from './register';

interface Product {
  transposeA: boolean;
  transposeB: boolean;
}

/** a [..., m, k] b [..., k, n] (or transposed) -> [..., m, n]; null if the leading axes would need broadcasting. */
function multiply(
  call: Call,
  a: TensorInfo,
  b: TensorInfo,
  { transposeA, transposeB }: Product,
  backend: EmbeddedBackend,
): TensorInfo | null {
  if (a.dtype !== 'float32' || b.dtype !== 'float32') return null;
  const [batchA, batchB] = [a, b].map((tensor) => tensor.shape.slice(0, -2));
  const [sizeA, sizeB] = [batchA, batchB].map((shape) => util.sizeFromShape(shape));
  if (sizeA !== 1 && sizeB !== 1 && !util.arraysEqual(batchA, batchB)) return null;
  const [rowsA, columnsA] = a.shape.slice(-2);
  const [rowsB, columnsB] = b.shape.slice(-2);
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const n = transposeB ? rowsB : columnsB;
  const batch = Math.max(sizeA, sizeB);
  const lead = sizeA === batch && batchA.length >= batchB.length ? batchA : batchB;
  const out = backend.output([...lead, m, n]);
  const strideA = sizeA === 1 ? 0 : m * k;
  const strideB = sizeB === 1 ? 0 : k * n;
  call.gemm(a, b, out, +transposeA, +transposeB, batch, m, n, k, strideA, strideB, 0);
  return out;
}

registerEmbedded<Product>('BatchMatMul', (call, { a, b }, attrs, backend) => multiply(call, a, b, attrs, backend));

registerEmbedded<Product & { activation: string }>('_FusedMatMul', (call, inputs, attrs, backend) => {
  if (attrs.activation !== 'linear' || inputs.bias || inputs.preluActivationWeights) return null;
  return multiply(call, inputs.a, inputs.b, attrs, backend);
});
