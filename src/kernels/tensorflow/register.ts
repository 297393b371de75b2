import { getKernel, type NamedAttrMap, registerKernel, type TensorInfo, unregisterKernel } from '@tensorflow/tfjs-core';
import type { Handle, TensorFlowBackend } from './binding';
import { compose, type Ops } from './ops';

/** A kernel composed of TensorFlow's operations: its outputs in order. A missing optional input is undefined. */
export type TensorFlowKernel<Attrs = NamedAttrMap> = (
  ops: Ops,
  inputs: Record<string, Handle>,
  attrs: Attrs,
  given: { backend: TensorFlowBackend; inputs: Record<string, TensorInfo> },
) => (Handle | TensorInfo)[];

const composed = new Map<string, { kernel: TensorFlowKernel<never>; raw: readonly string[] }>();

/**
 * Declares a kernel's TensorFlow implementation. Others are composed of tfjs operations (reference/). Inputs listed in
 * `raw` get no handle: the kernel takes them in another form.
 */
export function registerTensorFlow<Attrs = NamedAttrMap>(
  name: string,
  kernel: TensorFlowKernel<Attrs>,
  raw: readonly string[] = [],
): void {
  composed.set(name, { kernel, raw });
}

/** Registers all declared kernels with tfjs's backend `tensorflow`. */
export function installTensorFlowKernels(): void {
  for (const [kernelName, { kernel, raw }] of composed) {
    if (getKernel(kernelName, 'tensorflow')) unregisterKernel(kernelName, 'tensorflow');
    registerKernel({
      kernelName,
      backendName: 'tensorflow',
      kernelFunc: (params) => {
        const backend = params.backend as TensorFlowBackend;
        const inputs = params.inputs as Record<string, TensorInfo>;
        const direct = Object.fromEntries(Object.entries(inputs).filter(([name]) => !raw.includes(name)));
        return compose(backend, direct, (ops, handles) =>
          kernel(ops, handles, params.attrs as never, { backend, inputs }),
        );
      },
    });
  }
}
