import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { EmbeddedBackend } from './backend';

/**
 * A tensor that a consuming kernel may write to and return: another handle of the input's data, or a copy if others
 * hold that data too (such as a clone kept as the reference policy).
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
