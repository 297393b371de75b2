import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type AttentionShape, gradientKernelNames, kernelNames } from '../interface';
import type { EmbeddedBackend } from './backend';
import { type EmbeddedKernel, registerEmbedded } from './register';

const attend: EmbeddedKernel<AttentionShape> = (call, { q, k, v, starts, parents }, shape, backend) => {
  const { heads, kvHeads, headDim, scale, window } = shape;
  const sequences = checkPacking(backend, { q, starts, parents }, shape);
  const [out, lse] = [backend.output(q.shape), backend.output([q.shape[0], heads])];
  call.attend(q, k, v, starts, parents, out, lse, sequences, heads, kvHeads, headDim, scale, window ?? 0);
  return [out, lse];
};

const attendGrad: EmbeddedKernel<AttentionShape> = (call, inputs, shape, backend) => {
  const { dy, q, k, v, out, lse, starts, parents } = inputs;
  const { heads, kvHeads, headDim, scale, window } = shape;
  const sequences = checkPacking(backend, { q, starts, parents }, shape);
  const [dq, dk, dv] = [q, k, v].map((tensor) => backend.output(tensor.shape));
  const sizes = [sequences, heads, kvHeads, headDim, scale, window ?? 0] as const;
  call.attend_grad(dy, q, k, v, out, lse, starts, parents, dq, dk, dv, ...sizes);
  return [dq, dk, dv];
};

/** [out, lse] */
registerEmbedded(kernelNames.attend, attend);
registerEmbedded(kernelNames.attendShared, attend);

/** [dq, dk, dv] */
registerEmbedded(gradientKernelNames.attend, attendGrad);
registerEmbedded(gradientKernelNames.attendShared, attendGrad);

/** A thread's work space has two blocks of 64 queries of this width besides their scores. */
const widestHead = 2048;

interface Packed {
  q: TensorInfo;
  starts: TensorInfo;
  parents?: TensorInfo;
}

/** The number of sequences. The kernels do not check indices: wrong offsets would access other memory. */
function checkPacking(backend: EmbeddedBackend, { q, starts, parents }: Packed, shape: AttentionShape): number {
  if (shape.headDim > widestHead) throw new RangeError(`headDim ${shape.headDim} is more than ${widestHead}`);
  checkStarts(backend.values(starts), q.shape[0]);
  const sequences = starts.shape[0] - 1;
  if (parents) checkParents(backend.values(parents), sequences);
  return sequences;
}

/** Whether each parent is an earlier sequence without a parent. @throws RangeError */
function checkParents(parents: ArrayLike<number>, sequences: number): void {
  let right = parents.length === sequences;
  for (let s = 0; s < sequences; s++)
    right &&= parents[s] === -1 || (parents[s] >= 0 && parents[s] < s && parents[parents[s]] === -1);
  if (!right) throw new RangeError(`${Array.from(parents)} are not valid parents of ${sequences} sequences`);
}

/** Whether offsets begin with 0, never decrease, and end with n. @throws RangeError */
export function checkStarts(starts: ArrayLike<number>, n: number): void {
  let falls = starts[0] !== 0 || starts[starts.length - 1] !== n;
  for (let i = 1; i < starts.length; i++) falls ||= starts[i] < starts[i - 1];
  if (falls) throw new RangeError(`Sequence offsets ${Array.from(starts)} do not divide ${n} tokens`);
}
