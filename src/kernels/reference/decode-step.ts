import {
  add,
  expandDims,
  gather,
  matMul,
  mul,
  range,
  reshape,
  slice,
  softmax,
  stack,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor,
  tensor1d,
  tensorScatterUpdate,
  unstack,
} from '@tensorflow/tfjs-core';
import { tablesOf } from '../decoder';
import { type AttentionShape, type DecodeAttrs, type LayerWeights, type RopeTables, rmsNorm } from '../interface';
import { decoderLayer } from '../layer';
import { embedTokens, tensorOps } from '../tensor-ops';
import { unseen } from './attend';
import type { Inputs, Reference, References } from './kernel';
import { type Padding, pack, pad, padding } from './padding';

/** Index tensors of a step, shared by all layers. */
interface Plan {
  at: Padding;
  /** int32 [n] */
  positions: Tensor1D;
  /** int32 [n * kvHeads, 3]: slot, head and position of each new key and value. */
  places: Tensor;
  /** [rows, 1, new tokens, length]: -1e30 where a query does not attend to a key (or there is none yet), else 0. */
  hidden(window?: number | null): Tensor;
  /** int32 [rows]: index of each row's last new token. */
  last: Tensor1D;
  /** Cached tokens of the longest row, including the new ones. */
  length: number;
}

function planOf({ starts, slots, past }: Inputs, kvHeads: number): Plan {
  const at = padding(starts);
  const [offsets, slotIds, before] = [starts.dataSync(), slots.dataSync(), past.dataSync()];
  const rows = slotIds.length;
  const positions: number[] = [];
  const places: number[] = [];
  let length = 0;
  for (let row = 0; row < rows; row++) {
    const count = offsets[row + 1] - offsets[row];
    length = Math.max(length, before[row] + count);
    for (let position = before[row]; position < before[row] + count; position++) {
      positions.push(position);
      for (let head = 0; head < kvHeads; head++) places.push(slotIds[row], head, position);
    }
  }
  const queryAt = add(expandDims(past, 1), expandDims(range(0, at.length, 1, 'int32'), 0));
  return {
    at,
    positions: tensor1d(positions, 'int32'),
    places: tensor(places, [positions.length * kvHeads, 3], 'int32'),
    hidden: (window) => unseen(range(0, length, 1, 'int32'), reshape(queryAt, [rows, 1, at.length, 1]), window),
    last: tensor1d(
      Array.from(slotIds, (_, row) => offsets[row + 1] - 1),
      'int32',
    ),
    length,
  };
}

/** The layer's cache [slots, kvHeads, maxLength, headDim] with the new rows x [n, kvHeads*headDim] inserted. */
const remember = (cache: Tensor, x: Tensor, { places }: Plan): Tensor =>
  tensorScatterUpdate(cache as never, places as never, reshape(x, [-1, cache.shape[3]!]) as never);

/** The filled part of the cache for the active rows, as a batch of matrices [rows * kvHeads, length, headDim]. */
function recall(cache: Tensor, slots: Tensor, { length }: Plan): Tensor {
  const rows = gather(cache, slots as Tensor1D);
  return reshape(slice(rows, [0, 0, 0, 0], [-1, -1, length, -1]), [-1, length, cache.shape[3]!]);
}

function attendCached(q: Tensor2D, [keys, values]: Tensor[], plan: Plan, shape: AttentionShape): Tensor2D {
  const { heads, kvHeads, scale, window } = shape;
  const scores = mul(matMul(pad(q, plan.at, heads, kvHeads), keys, false, true), scale);
  const masked = add(reshape(scores, [plan.at.sequences, heads, plan.at.length, plan.length]), plan.hidden(window));
  return pack(matMul(reshape(softmax(masked), scores.shape), values), plan.at, heads) as Tensor2D;
}

/** The layer's weights among the inputs of the kernel. */
function layerWeights(inputs: Inputs, layer: number): LayerWeights {
  const named = Object.entries(inputs).filter(([name]) => name.startsWith(`${layer}.`));
  return Object.fromEntries(named.map(([name, weight]) => [name.split('.')[1], weight])) as unknown as LayerWeights;
}

/** -> [logits [rows, vocab], keys, values] */
const decodeStep: Reference<DecodeAttrs> = (inputs, attrs) => {
  const plan = planOf(inputs, attrs.kvHeads);
  const over = {
    positions: plan.positions,
    ropes: tablesOf(inputs) as RopeTables[],
    sequences: { starts: inputs.starts as Tensor1D, parents: null },
    shape: attrs,
  };

  // Copies, because tfjs's cpu backend scatters into the given tensor, whose data others may hold.
  const caches = [inputs.keys, inputs.values].map((cache) => unstack(add(cache, 0)));
  let x = embedTokens(inputs.embed as Tensor2D, inputs.tokens as Tensor1D, attrs.embedScale);
  attrs.specs.forEach((spec, layer) => {
    const ops = tensorOps(layerWeights(inputs, layer), over);
    ops.attend = (q, k, v, window) => {
      const news = [k, v];
      const seen = caches.map((cache, i) => {
        cache[layer] = remember(cache[layer], news[i], plan);
        return recall(cache[layer], inputs.slots, plan);
      });
      return attendCached(q, seen, plan, { ...attrs, window });
    };
    x = decoderLayer(x, spec, ops);
  });
  const last = rmsNorm(gather(x, plan.last), inputs.norm as Tensor1D, attrs.norm);
  return [matMul(last, inputs.head as Tensor2D, false, true), ...caches.map((cache) => stack(cache))];
};

export const decodeStepReferences: References = { DecodeStep: decodeStep };
