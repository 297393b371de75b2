import { createHash } from 'node:crypto';
import { gather, reshape, type Tensor, tensor1d, tidy } from '@tensorflow/tfjs-core';

/** Values used from each parameter. */
const samples = 64;

/**
 * Identifies models without reading every weight: a SHA-256 over names, shapes and up to 64 evenly spaced values of
 * each parameter. It is the same for every file format of a model. Detects mistakes (another student in the same
 * folder), not forgery.
 */
export function fingerprint(parameters: ReadonlyMap<string, Tensor>): string {
  const hash = createHash('sha256');
  for (const [name, parameter] of parameters) {
    const { size, shape } = parameter;
    const count = Math.min(size, samples);
    const places = Int32Array.from({ length: count }, (_, i) => Math.floor((i * (size - 1)) / Math.max(count - 1, 1)));
    const values = tidy(() =>
      gather(reshape(parameter, [-1]), tensor1d(places, 'int32'))
        .dataSync<'float32'>()
        .slice(),
    );
    hash.update(`${name} [${shape}]\n`).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}
