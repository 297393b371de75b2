import type { TensorInfo } from '@tensorflow/tfjs-core';
import { layerMatrices, tablesOf } from '../decoder';
import { type AttentionShape, type DecodeAttrs, kernelNames, type LayerWeights, type SlotCopies } from '../interface';
import { decoderLayer, type LayerBias, type LayerOps } from '../layer';
import { attendBlocks } from './attend';
import type { Handle, TensorFlowBackend } from './binding';
import { copyRows, destroy, give, rowsOf, type Store, take, write } from './cache';
import { type Plan, placesOf, planOf } from './decode-plan';
import { Latest } from './latest';
import type { Ops } from './ops';
import { registerTensorFlow } from './register';
import { glu, rmsNorm, turned } from './rows';

const pick = (ops: Ops, x: Handle, indices: Handle | null) => (indices ? ops.gather(x, indices) : x);

/** Attention of tokens to the cache, each to its own slot: [count, heads*headDim]. */
function attendCached(ops: Ops, q: Handle, cache: Handle[], plan: NonNullable<Plan['cached']>, shape: AttentionShape) {
  const { heads, kvHeads, headDim, scale, window } = shape;
  const { count, mask } = plan;
  const [keys, values] = cache;
  const queries = ops.reshape(ops.mul(q, ops.scalar(scale)), [count, kvHeads, heads / kvHeads, headDim]);
  // keys · queriesᵀ and a small transpose: less than half of the time of queries · keysᵀ for so few queries.
  const products = ops.transpose(ops.matMul(keys, queries, false, true), [0, 1, 3, 2]);
  const scores = ops.add(products, mask(window));
  return ops.reshape(ops.matMul(ops.op('Softmax', [scores]), values), [count, heads * headDim]);
}

/** Writes keys and values of the new tokens to the layer's caches, and computes their attention. */
function attendTokens(
  ops: Ops,
  [q, ...news]: [q: Handle, k: Handle, v: Handle],
  { caches, layer, plan }: { caches: Store[]; layer: number; plan: Plan },
  shape: AttentionShape,
): Handle {
  news.forEach((rows, i) => {
    write(ops, caches[i], layer, plan.places, ops.reshape(rows, [-1, shape.headDim]));
  });
  const parts: Handle[] = [];
  if (plan.cached) {
    const seen = caches.map((cache) => rowsOf(ops, cache, layer, plan.cached!.slots));
    parts.push(attendCached(ops, pick(ops, q, plan.cached.tokens), seen, plan.cached, shape));
    for (const large of seen) ops.free(large);
  }
  if (plan.fresh) {
    const { tokens, blocks } = plan.fresh;
    const [k, v] = news.map((rows) => pick(ops, rows, tokens));
    parts.push(attendBlocks(ops, { q: pick(ops, q, tokens), k, v }, blocks, shape).out);
  }
  return pick(ops, ops.concat(parts, 0), plan.order);
}

/** -> logits [rows, vocab]; `caches` are keys and values, updated in place. */
function decode(
  ops: Ops,
  inputs: Record<string, Handle>,
  caches: Store[],
  plan: Plan,
  attrs: DecodeAttrs,
  transposed: ReadonlyMap<Handle, Handle>,
): Handle {
  const { headDim, embedScale } = attrs;
  const product = (x: Handle, weight: Handle) => {
    const across = transposed.get(weight);
    return across ? ops.matMul(x, across) : ops.matMul(x, weight, false, true);
  };
  const norm = (x: Handle, weight: Handle) => rmsNorm(ops, x, weight, attrs.norm).y;
  const layerOps = (layer: number): LayerOps<Handle> => {
    const weight = (name: keyof LayerWeights) => inputs[`${layer}.${name}`];
    const addBias = (x: Handle, bias: LayerBias) => ops.op('BiasAdd', [x, weight(bias)]);
    return {
      norm: (x, name) => norm(x, weight(name)),
      headNorm: (x, name) => ops.reshape(norm(ops.reshape(x, [-1, headDim]), weight(name)), x.shape),
      linear: (x, name) => product(x, weight(name)),
      addBias,
      rotate: (x, rope, bias) => turned(ops, bias ? addBias(x, bias) : x, plan.turns[rope], headDim),
      attend: (q, k, v, window) => attendTokens(ops, [q, k, v], { caches, layer, plan }, { ...attrs, window }),
      glu: (gate, up, activation) => glu(ops, gate, up, activation),
      residual: (stream, given) => ops.add(stream, given),
    };
  };
  let x = ops.scale(ops.gather(inputs.embed, inputs.tokens), embedScale);
  attrs.specs.forEach((spec, layer) => {
    x = decoderLayer(x, spec, layerOps(layer));
  });
  return product(norm(pick(ops, x, plan.last), inputs.norm), inputs.head);
}

const across = new Latest<Handle[]>();

/**
 * On the CPU, the layers' weights transposed to [in, out], by weight: products of few rows take half of the time with
 * them. Created once per rollout, and dropped when training changes the weights. A GPU is equally fast either way.
 */
function transposedWeights(
  ops: Ops,
  inputs: Record<string, Handle>,
  layers: number,
  { backend, given }: { backend: TensorFlowBackend; given: Record<string, TensorInfo> },
): ReadonlyMap<Handle, Handle> {
  if (backend.isUsingGpuDevice) return new Map();
  const names = Array.from({ length: layers }, (_, i) => layerMatrices.map((name) => `${i}.${name}`)).flat();
  const keys = names.map((name) => given[name].dataId);
  const made = across.of(backend, keys, '', (keep) =>
    names.map((name) => keep(ops.retain(ops.transpose(inputs[name], [1, 0])))),
  );
  return new Map(names.map((name, i) => [inputs[name], made[i]]));
}

/** [logits, keys, values] */
registerTensorFlow<DecodeAttrs>(
  kernelNames.decodeStep,
  (ops, inputs, attrs, { backend, inputs: given }) => {
    const maxLength = given.keys.shape[3];
    const plan = planOf(ops, placesOf(backend, given), tablesOf(inputs), { ...attrs, maxLength });
    return onCaches(ops, given, backend, (caches) => [
      decode(ops, inputs, caches, plan, attrs, transposedWeights(ops, inputs, attrs.specs.length, { backend, given })),
    ]);
  },
  ['keys', 'values'],
);

/** [keys, values] */
registerTensorFlow<SlotCopies>(
  kernelNames.copySlots,
  (ops, _inputs, { from, to }, { backend, inputs: given }) =>
    onCaches(ops, given, backend, (caches) => {
      const indices = (values: number[]) => ops.upload(Int32Array.from(values), [values.length]);
      for (const cache of caches) copyRows(ops, cache, indices(from), indices(to));
      return [];
    }),
  ['keys', 'values'],
);

/**
 * Calls `use` with the caches of the inputs `keys` and `values`, and returns them after its results; on failure they
 * are freed.
 */
function onCaches(
  ops: Ops,
  given: Record<string, TensorInfo>,
  backend: TensorFlowBackend,
  use: (caches: Store[]) => Handle[],
): (Handle | TensorInfo)[] {
  const caches = [take(ops, backend, given.keys), take(ops, backend, given.values)];
  try {
    return [...use(caches), ...caches.map((cache) => give(backend, cache))];
  } catch (error) {
    for (const cache of caches) destroy(backend, cache);
    throw error;
  }
}
