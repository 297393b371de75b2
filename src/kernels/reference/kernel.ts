import { engine, type KernelFunc, Tensor, type TensorInfo, tidy } from '@tensorflow/tfjs-core';

/** Tensors by the kernel's input names; a missing optional one is undefined. */
export type Inputs = Record<string, Tensor>;

/** A kernel composed of tfjs operations: its outputs in order; a single one without an array. */
export type Reference<Attrs = object> = (inputs: Inputs, attrs: Attrs) => Tensor | Tensor[];

/** Kernels by registered name. Each takes attributes of its own type. */
export type References = Record<string, Reference<never>>;

interface ReferenceCounter {
  incRef(dataId: object): void;
}

/** The function that tfjs calls: wraps the inputs as tensors, and frees intermediate tensors. */
export function kernelFunc(reference: Reference<never>): KernelFunc {
  return ({ inputs, backend, attrs }) =>
    tidy(() => {
      const tensors: Inputs = {};
      for (const [name, info] of Object.entries(inputs)) {
        if (info) tensors[name] = asTensor(info, backend as ReferenceCounter);
      }
      return reference(tensors, attrs as never);
    });
}

/**
 * Kernels that call kernels pass bare infos. The wrapper increments the reference count, so that the surrounding tidy
 * does not free the caller's data.
 */
function asTensor(info: TensorInfo, backend: ReferenceCounter): Tensor {
  if (info instanceof Tensor) return info;
  backend.incRef(info.dataId);
  return engine().makeTensorFromTensorInfo(info);
}
