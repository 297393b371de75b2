import { Random } from '../../random';

interface RowChoice {
  /** Rows per update. */
  count: number;
  seed: number;
  /** Distinguishes the orders of two phases. */
  salt: string;
}

/**
 * The `count` row indices of update `update` out of `rows`. Every epoch is a new permutation, and a batch may span two
 * epochs. A pure function of its arguments, so that a resumed run sees the same rows without saved state.
 */
export function rowsOfUpdate(rows: number, update: number, { count, seed, salt }: RowChoice): number[] {
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
