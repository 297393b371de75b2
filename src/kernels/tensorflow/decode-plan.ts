import type { Handle, TensorFlowBackend } from './binding';
import type { Ops } from './ops';
import { type Blocks, makeBlocks, unseen } from './padding';
import { type Turn, turnOf } from './rows';

/**
 * Index tensors of a step, shared by all layers. Tokens of prompts that begin here attend only to one another, as in
 * training; other tokens attend to the cache one by one.
 */
export interface Plan {
  /** By the rotary table's name. */
  turns: Turn[];
  /** int32 [n * kvHeads, 3]: slot, head and position of each new key and value. */
  places: Handle;
  /**
   * Tokens that attend to the cache: their indices (null: all, in order), slots, and [count, 1, 1, maxLength] with
   * -1e30 for hidden positions.
   */
  cached: { tokens: Handle | null; slots: Handle; count: number; mask(window?: number | null): Handle } | null;
  /** Tokens of new prompts: their indices (null: all), and their blocks. */
  fresh: { tokens: Handle | null; blocks: Blocks } | null;
  /** Restores the token order of [cached, fresh]; null if it is already in order. */
  order: Handle | null;
  /** int32 [rows]: index of each row's last new token; null if each row has one. */
  last: Handle | null;
}

interface Places {
  starts: ArrayLike<number>;
  slots: ArrayLike<number>;
  past: ArrayLike<number>;
}

export function planOf(
  ops: Ops,
  { starts, slots, past }: Places,
  tables: { cos: Handle; sin: Handle }[],
  { heads, kvHeads, maxLength }: { heads: number; kvHeads: number; maxLength: number },
): Plan {
  const ints = (values: number[], shape = [values.length]) => ops.upload(Int32Array.from(values), shape);
  const rows = slots.length;
  const n = starts[rows];
  const [positions, places]: [number[], number[]] = [[], []];
  const [looking, lookingSlots, fresh]: [number[], number[], number[]] = [[], [], []];
  const freshStarts = [0];
  for (let row = 0; row < rows; row++) {
    const begins = past[row] === 0 && starts[row + 1] - starts[row] > 1;
    for (let token = starts[row]; token < starts[row + 1]; token++) {
      const position = past[row] + token - starts[row];
      positions.push(position);
      for (let head = 0; head < kvHeads; head++) places.push(slots[row], head, position);
      if (begins) fresh.push(token);
      else {
        looking.push(token);
        lookingSlots.push(slots[row]);
      }
    }
    if (begins) freshStarts.push(fresh.length);
  }
  const ends = looking.map((token) => positions[token] + 1);
  const masks = new Map<number, Handle>();
  const mask = (window?: number | null): Handle => {
    const seen = window ?? maxLength;
    const made = masks.get(seen) ?? ops.upload(unseen(ends, maxLength, seen), [ends.length, 1, 1, maxLength]);
    masks.set(seen, made);
    return made;
  };
  const order = new Array<number>(n);
  [...looking, ...fresh].forEach((token, i) => {
    order[token] = i;
  });
  const at = ints(positions);
  return {
    turns: tables.map(({ cos, sin }) => turnOf(ops, at, cos, sin)),
    places: ints(places, [n * kvHeads, 3]),
    cached:
      looking.length > 0
        ? {
            tokens: fresh.length > 0 ? ints(looking) : null,
            slots: ints(lookingSlots),
            count: looking.length,
            mask,
          }
        : null,
    fresh:
      fresh.length > 0
        ? {
            tokens: looking.length > 0 ? ints(fresh) : null,
            blocks: makeBlocks(ops, freshStarts, heads, (_, handle) => handle),
          }
        : null,
    order: order.every((place, token) => place === token) ? null : ints(order),
    last: n === rows ? null : ints(Array.from({ length: rows }, (_, row) => starts[row + 1] - 1)),
  };
}

/** The offsets, slots and past of a step, known on the host. */
export function placesOf(backend: TensorFlowBackend, inputs: Record<string, { dataId: object }>): Places {
  const values = (name: string) => backend.readSync(inputs[name].dataId) as Int32Array;
  return { starts: values('starts'), slots: values('slots'), past: values('past') };
}
