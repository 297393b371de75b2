import {
  copyRegisteredKernels,
  getKernel,
  type NamedAttrMap,
  registerBackend,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import type { KernelLibrary } from '../native/library';
import { type Call, EmbeddedBackend } from './backend';

/**
 * The accelerated form of a tfjs kernel: allocates outputs with `backend.output`, computes them with `call.<kernel of
 * list.h>(...)` (tensors, numbers and null as arguments) and returns them. null declines, and the kernel of tfjs's cpu
 * backend is used. A missing optional input is undefined.
 */
export type EmbeddedKernel<Attrs = NamedAttrMap> = (
  call: Call,
  inputs: Record<string, TensorInfo>,
  attrs: Attrs,
  backend: EmbeddedBackend,
) => TensorInfo | TensorInfo[] | null;

const accelerated = new Map<string, EmbeddedKernel<never>>();

/** Declares the accelerated form of a kernel for every embedded backend installed later. */
export function registerEmbedded<Attrs = NamedAttrMap>(name: string, kernel: EmbeddedKernel<Attrs>): void {
  accelerated.set(name, kernel);
}

/**
 * Creates a tfjs backend with that name over the library: the present kernels of `cpu`, with accelerated ones replaced.
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
        if (!fallback) throw new Error(`${kernelName}: there is no kernel for these inputs`);
        return fallback.kernelFunc(params);
      },
    });
  }
}
