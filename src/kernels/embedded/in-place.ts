import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { EmbeddedBackend } from './backend';

/**
 * What a kernel that consumes a tensor may write to and return: the tensor's own data under one more handle, or a copy
 * where others (a clone kept as the reference policy, say) hold that data too.
 */
export function inPlace(backend: EmbeddedBackend, tensor: TensorInfo): TensorInfo {
  if (backend.refCount(tensor.dataId) > 1) {
    const copy = backend.output(tensor.shape);
    backend.mutable(copy).set(backend.values(tensor));
    return copy;
  }
  backend.mutable(tensor);
  return backend.share(tensor);
}
