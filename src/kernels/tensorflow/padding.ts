import type { Handle, TensorFlowBackend } from './binding';
import { Latest } from './latest';
import type { Ops } from './ops';

/** Consecutive packed sequences as a padded batch, small enough to store its scores. */
export interface PaddedBlock {
  sequences: number;
  /** Positions per row: the length of the longest sequence. */
  length: number;
  /** Its range in the packed order: first token, and number of tokens. */
  from: number;
  count: number;
  /**
   * int32 [sequences * length] token of each position, and [count, 1] position of each token (both relative to the
   * block's first one); null when all sequences are equally long.
   */
  tokens: Handle | null;
  places: Handle | null;
  /** int32 [count]: `places` as indices of rows. */
  rows: Handle | null;
}

export interface Blocks {
  blocks: PaddedBlock[];
  /** [length, length] for a block's sequences: -1e30 for hidden keys. Created once. */
  mask(ops: Ops, length: number, window?: number | null): Handle;
}

/** Decides the lifetime of a handle created by these operations. */
type Keep = (ops: Ops, handle: Handle) => Handle;

/** Maximum scores of a block: 128 MB of float32. */
const scoresOfBlock = 2 ** 25;

/** Sequence offsets -> blocks with as many sequences as `scoresOfBlock` allows for `heads`. */
export function divide(
  offsets: ArrayLike<number>,
  heads: number,
  most = scoresOfBlock,
): [first: number, end: number][] {
  const parts: [number, number][] = [];
  let [first, longest] = [0, 0];
  for (let s = 0; s + 1 < offsets.length; s++) {
    const length = Math.max(longest, offsets[s + 1] - offsets[s]);
    if (s > first && (s + 1 - first) * heads * length * length > most) {
      parts.push([first, s]);
      [first, longest] = [s, offsets[s + 1] - offsets[s]];
    } else longest = length;
  }
  if (offsets.length > 1) parts.push([first, offsets.length - 1]);
  return parts;
}

function blockOf(
  offsets: ArrayLike<number>,
  [first, end]: [number, number],
  keep: (values: number[]) => Handle,
): PaddedBlock {
  const sequences = end - first;
  const [from, count] = [offsets[first], offsets[end] - offsets[first]];
  let length = 0;
  for (let s = first; s < end; s++) length = Math.max(length, offsets[s + 1] - offsets[s]);
  const even = { sequences, length, from, count, tokens: null, places: null, rows: null };
  if (count === sequences * length) return even;
  const [tokens, places]: [number[], number[]] = [[], []];
  for (let s = first; s < end; s++)
    for (let t = 0; t < length; t++) {
      const last = Math.max(offsets[s + 1] - 1, from);
      tokens.push(Math.min(offsets[s] + t, last) - from);
      if (offsets[s] + t < offsets[s + 1]) places.push((s - first) * length + t);
    }
  const rows = keep(places);
  return { ...even, tokens: keep(tokens), places: rows, rows };
}

/** The blocks of sequences with these offsets, and their masks. */
export function makeBlocks(ops: Ops, offsets: ArrayLike<number>, heads: number, keep: Keep): Blocks {
  const ints = (values: number[]) => keep(ops, ops.upload(Int32Array.from(values), [values.length]));
  const blocks = divide(offsets, heads)
    .map((part) => blockOf(offsets, part, ints))
    .filter(({ count }) => count > 0);
  const masks = new Map<string, Handle>();
  const mask: Blocks['mask'] = (now, length, window) => {
    const seen = Math.min(window ?? length, length);
    const key = `${length} ${seen}`;
    const mask = masks.get(key) ?? keep(now, now.upload(causal(length, seen), [length, length]));
    masks.set(key, mask);
    return mask;
  };
  return { blocks, mask };
}

const latest = new Latest<Blocks>();

/** The blocks of a batch, shared by all its layers. Reads the offsets, which are known on the host. */
export function blocksOf(ops: Ops, backend: TensorFlowBackend, starts: { dataId: object }, heads: number): Blocks {
  return latest.of(backend, [starts.dataId], String(heads), (keep) => {
    const offsets = backend.readSync(starts.dataId) as Int32Array;
    return makeBlocks(ops, offsets, heads, (now, handle) => keep(now.retain(handle)));
  });
}

const causal = (length: number, seen: number) =>
  unseen(
    Array.from({ length }, (_, i) => i + 1),
    length,
    seen,
  );

/** [ends, length]: row i is 0 for the last `seen` positions before ends[i], -1e30 for all others. */
export function unseen(ends: readonly number[], length: number, seen: number): Float32Array {
  const values = new Float32Array(ends.length * length).fill(-1e30);
  ends.forEach((end, i) => {
    values.fill(0, i * length + Math.max(0, end - seen), i * length + end);
  });
  return values;
}

/**
 * [n, heads*width] -> the block's [sequences * kvHeads, heads/kvHeads * length, width]: heads that share keys are rows
 * of one matrix.
 */
export function pad(ops: Ops, x: Handle, block: PaddedBlock, heads: number, kvHeads: number, zeros = false): Handle {
  const { sequences, length, from, count } = block;
  const all = x.shape[1];
  const width = all / heads;
  const part = count === x.shape[0] ? x : ops.slice(x, [from, 0], [count, all]);
  const rows = padRows(ops, part, block, zeros);
  const byHead = ops.transpose(ops.reshape(rows, [sequences, length, heads, width]), [0, 2, 1, 3]);
  return ops.reshape(byHead, [sequences * kvHeads, (heads / kvHeads) * length, width]);
}

/** Padding repeats the sequence's last token, or is zero. */
function padRows(ops: Ops, part: Handle, { sequences, length, tokens, places }: PaddedBlock, zeros: boolean): Handle {
  if (!tokens || !places) return part;
  if (!zeros) return ops.gather(part, tokens);
  const indices = ops.reshape(places, [places.shape[0], 1]);
  return ops.op('ScatterNd', [indices, part, ops.constant([sequences * length, part.shape[1]])]);
}

/** The inverse of `pad`. */
export function pack(ops: Ops, x: Handle, { sequences, length, rows }: PaddedBlock, heads: number): Handle {
  const width = x.shape[2];
  const byToken = ops.transpose(ops.reshape(x, [sequences, heads, length, width]), [0, 2, 1, 3]);
  const all = ops.reshape(byToken, [sequences * length, heads * width]);
  return rows ? ops.gather(all, rows) : all;
}
