import {
  copyRegisteredKernels,
  getKernel,
  type NamedAttrMap,
  registerBackend,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import type { KernelCall, KernelLibrary } from '../native/library';
import { type Argument, EmbeddedBackend } from './backend';

/**
 * The accelerated form of a tfjs kernel: allocates its outputs by `backend.output`, computes them by `call.<kernel of
 * list.h>(...)` (tensors, numbers and null as arguments) and returns them. null declines: what is registered for tfjs's
 * cpu backend takes over. An optional input that was not given is undefined.
 */
export type EmbeddedKernel<Attrs = NamedAttrMap> = (
  call: KernelCall<Argument>,
  inputs: Record<string, TensorInfo>,
  attrs: Attrs,
  backend: EmbeddedBackend,
) => TensorInfo | TensorInfo[] | null;

const accelerated = new Map<string, EmbeddedKernel<never>>();

/** Declares the accelerated form of a kernel, for every embedded backend that is installed later on. */
export function registerEmbedded<Attrs = NamedAttrMap>(name: string, kernel: EmbeddedKernel<Attrs>): void {
  accelerated.set(name, kernel);
}

/**
 * Makes a tfjs backend of that name over the library: all kernels of `cpu` as they are registered now, the accelerated
 * ones replaced.
 */
export function installEmbedded(name: string, library: KernelLibrary): void {
  registerBackend(name, () => new EmbeddedBackend(library));
  copyRegisteredKernels('cpu', name);
  for (const [kernelName, kernel] of accelerated) {
    const fallback = getKernel(kernelName, name);
    if (fallback) unregisterKernel(kernelName, name);
    registerKernel({
      kernelName,
      backendName: name,
      kernelFunc: (params) => {
        const backend = params.backend as EmbeddedBackend;
        const made = kernel(backend.call, params.inputs as Record<string, TensorInfo>, params.attrs as never, backend);
        if (made) return made;
        if (!fallback) throw new Error(`${kernelName}: no form of it takes these inputs`);
        return fallback.kernelFunc(params);
      },
    });
  }
}
