import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type AttentionShape, gradientKernelNames, kernelNames } from '../interface';
import type { EmbeddedBackend } from './backend';
import { registerEmbedded } from './register';

/** [out, lse] */
registerEmbedded<AttentionShape>(kernelNames.attend, (call, { q, k, v, starts }, shape, backend) => {
  const { heads, kvHeads, headDim, scale } = shape;
  const sequences = checkPacking(backend, q, starts, shape);
  const [out, lse] = [backend.output(q.shape), backend.output([q.shape[0], heads])];
  call.attend(q, k, v, starts, out, lse, sequences, heads, kvHeads, headDim, scale);
  return [out, lse];
});

/** [dq, dk, dv] */
registerEmbedded<AttentionShape>(gradientKernelNames.attend, (call, inputs, shape, backend) => {
  const { dy, q, k, v, out, lse, starts } = inputs;
  const { heads, kvHeads, headDim, scale } = shape;
  const sequences = checkPacking(backend, q, starts, shape);
  const [dq, dk, dv] = [q, k, v].map((tensor) => backend.output(tensor.shape));
  call.attend_grad(dy, q, k, v, out, lse, starts, dq, dk, dv, sequences, heads, kvHeads, headDim, scale);
  return [dq, dk, dv];
});

/** The space of a thread holds two blocks of 64 queries this wide beside their scores. */
const widestHead = 2048;

/** The count of sequences. The kernels index without looking: offsets out of place would read, or write, someone else's memory. */
function checkPacking(backend: EmbeddedBackend, q: TensorInfo, starts: TensorInfo, shape: AttentionShape): number {
  if (shape.headDim > widestHead) throw new RangeError(`headDim ${shape.headDim} is more than ${widestHead}`);
  checkStarts(backend.values(starts), q.shape[0]);
  return starts.shape[0] - 1;
}

/** Do offsets begin with 0, never fall, and end with n? @throws RangeError */
export function checkStarts(starts: ArrayLike<number>, n: number): void {
  let falls = starts[0] !== 0 || starts[starts.length - 1] !== n;
  for (let i = 1; i < starts.length; i++) falls ||= starts[i] < starts[i - 1];
  if (falls) throw new RangeError(`Sequence offsets ${Array.from(starts)} do not divide ${n} tokens`);
}
