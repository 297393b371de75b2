import type { TensorInfo } from '@tensorflow/tfjs-core';
import { kernelNames, type SlotCopies } from '../interface';
import type { EmbeddedBackend } from './backend';
import { inPlace } from './in-place';
import { registerEmbedded } from './register';

/** Copies within the keys or values of a cache. */
export function copyWithin(backend: EmbeddedBackend, cache: TensorInfo, { from, to, length }: SlotCopies): void {
  const [layers, slots, kvHeads, maxLength, headDim] = cache.shape;
  const data = backend.mutable(cache);
  const head = maxLength * headDim;
  for (let layer = 0; layer < layers; layer++)
    for (let i = 0; i < from.length; i++)
      for (let h = 0; h < kvHeads; h++) {
        const source = ((layer * slots + from[i]) * kvHeads + h) * head;
        data.copyWithin(((layer * slots + to[i]) * kvHeads + h) * head, source, source + length * headDim);
      }
}

/** Plain memory moves in place: no arithmetic, so no C kernel. */
registerEmbedded<SlotCopies>(kernelNames.copySlots, (_, { keys, values }, copies, backend) =>
  [keys, values].map((cache) => {
    const out = inPlace(backend, cache);
    copyWithin(backend, out, copies);
    return out;
  }),
);
