import { gather, tensor1d } from '@tensorflow/tfjs-core';
import type { SlotCopies } from '../interface';
import type { Reference, References } from './kernel';

/** -> [keys, values]. Gathers every slot from its source; positions from `length` on are copied too, but unused. */
const copySlots: Reference<SlotCopies> = ({ keys, values }, { from, to }) => {
  const source = Int32Array.from({ length: keys.shape[1]! }, (_, slot) => slot);
  to.forEach((slot, i) => {
    source[slot] = from[i];
  });
  const slots = tensor1d(source, 'int32');
  return [gather(keys, slots, 1), gather(values, slots, 1)];
};

export const copySlotsReferences: References = { CopySlots: copySlots };
