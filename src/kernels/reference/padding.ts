import { gather, reshape, type Tensor, type Tensor1D, tensor1d, transpose } from '@tensorflow/tfjs-core';

/**
 * Index tensors between packed sequences and a padded batch of `sequences` rows of `length` (the longest) positions.
 */
export interface Padding {
  sequences: number;
  length: number;
  /** int32 [sequences * length]: the token at each position; padding repeats the sequence's last token. */
  toPadded: Tensor1D;
  /** int32 [n]: the position of each token. */
  toPacked: Tensor1D;
  /** [sequences, 1, length, 1]: 1 for tokens, 0 for padding. */
  present: Tensor;
}

/** Reads `starts` back to the host: it is small, and sizes are needed there. */
export function padding(starts: Tensor): Padding {
  const offsets = starts.dataSync();
  const sequences = offsets.length - 1;
  const n = offsets[sequences];
  let length = 0;
  for (let s = 0; s < sequences; s++) length = Math.max(length, offsets[s + 1] - offsets[s]);
  const toPadded = new Int32Array(sequences * length);
  const toPacked = new Int32Array(n);
  const present = new Float32Array(sequences * length);
  for (let s = 0; s < sequences; s++) {
    for (let t = 0; t < length; t++) {
      const token = offsets[s] + t;
      const inside = token < offsets[s + 1];
      toPadded[s * length + t] = Math.max(0, Math.min(token, offsets[s + 1] - 1));
      if (inside) {
        toPacked[token] = s * length + t;
        present[s * length + t] = 1;
      }
    }
  }
  return {
    sequences,
    length,
    toPadded: tensor1d(toPadded, 'int32'),
    toPacked: tensor1d(toPacked, 'int32'),
    present: reshape(tensor1d(present), [sequences, 1, length, 1]),
  };
}

/**
 * [n, heads*width] -> [sequences * kvHeads, (heads/kvHeads) * length, width]: query heads that share keys become rows
 * of one matrix.
 */
export function pad(x: Tensor, at: Padding, heads: number, kvHeads: number): Tensor {
  const width = x.shape[1]! / heads;
  const rows = reshape(gather(x, at.toPadded), [at.sequences, at.length, heads, width]);
  return reshape(transpose(rows, [0, 2, 1, 3]), [at.sequences * kvHeads, (heads / kvHeads) * at.length, width]);
}

/** The inverse of `pad`. */
export function pack(x: Tensor, at: Padding, heads: number): Tensor {
  const width = x.shape[2]!;
  const rows = transpose(reshape(x, [at.sequences, heads, at.length, width]), [0, 2, 1, 3]);
  return gather(reshape(rows, [at.sequences * at.length, heads * width]), at.toPacked);
}
