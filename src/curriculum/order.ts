import { Random } from '../random';

interface Draw {
  /** Rows of one update. */
  count: number;
  seed: number;
  /** Keeps the orders of two phases apart. */
  salt: string;
}

/**
 * The `count` rows of update `update` out of `rows`: every epoch is a fresh permutation, and a batch may span two
 * epochs. A pure function of its arguments, so that a resumed run sees the same rows without a saved state.
 */
export function rowsOfUpdate(rows: number, update: number, { count, seed, salt }: Draw): number[] {
  const out: number[] = [];
  let epoch = -1;
  let permutation: number[] = [];
  for (let at = update * count; at < (update + 1) * count; at++) {
    if (Math.floor(at / rows) !== epoch) {
      epoch = Math.floor(at / rows);
      permutation = new Random(seed, salt, epoch).shuffled(Array.from({ length: rows }, (_, i) => i));
    }
    out.push(permutation[at % rows]);
  }
  return out;
}
