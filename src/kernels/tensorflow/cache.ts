/**
 * A KV cache that is updated in place: a TensorFlow variable per layer, behind an object that tfjs treats as a tensor.
 * Reading it, or using it in other kernels, gives an ordinary tensor.
 */
import type { DataId, TensorInfo } from '@tensorflow/tfjs-core';
import type { Handle, TensorFlowBackend } from './binding';
import { forget } from './latest';
import { compose, type Ops } from './ops';

export interface Store {
  /** [layers, slots, kvHeads, maxLength, headDim] */
  shape: number[];
  /** Handles of the variables, each of [slots, kvHeads, maxLength, headDim]. */
  layers: Handle[];
}

const stores = new WeakMap<DataId, Store>();
let variables = 0;

/**
 * The cache of a kernel's input, which is consumed: its own variables if they are not shared, else a copy. `give`
 * makes it an output, `destroy` frees it.
 */
export function take(ops: Ops, backend: TensorFlowBackend, info: TensorInfo): Store {
  const store = stores.get(info.dataId);
  if (store && backend.refCount(info.dataId) === 1) {
    stores.delete(info.dataId);
    return store;
  }
  const [layers, ...rest] = info.shape;
  const layerOf = (i: number) => {
    if (store) return read(ops, store, i);
    const whole = ops.slice(handle(backend, info), [i, 0, 0, 0, 0], [1, ...rest]);
    return ops.reshape(whole, rest);
  };
  return { shape: info.shape, layers: Array.from({ length: layers }, (_, i) => variable(ops, backend, layerOf(i))) };
}

const handle = (backend: TensorFlowBackend, info: TensorInfo): Handle => ({
  id: backend.getInputTensorIds([info])[0],
  shape: info.shape,
  dtype: backend.binding.TF_FLOAT,
});

/**
 * A variable with that value; the caller owns its handle. The value is copied, because only unshared data may be
 * changed in place.
 */
function variable(ops: Ops, { binding }: TensorFlowBackend, value: Handle): Handle {
  const name = `distillery-cache-${variables++}`;
  const resource = ops.op(
    'VarHandleOp',
    [],
    [
      ops.type('dtype', binding.TF_FLOAT),
      { name: 'shape', type: binding.TF_ATTR_SHAPE, value: value.shape },
      { name: 'shared_name', type: binding.TF_ATTR_STRING, value: name },
    ],
  );
  ops.several('AssignVariableOp', [resource, value], [ops.type('dtype', binding.TF_FLOAT)], 0);
  ops.free(value);
  return ops.retain(resource);
}

const floats = (ops: Ops) => ops.type('dtype', 1);

const read = (ops: Ops, store: Store, layer: number): Handle =>
  ops.op('ReadVariableOp', [store.layers[layer]], [floats(ops)]);

/** Writes rows [n, headDim] to the positions int32 [n, 3] (slot, head, position) of a layer. */
export function write(ops: Ops, store: Store, layer: number, places: Handle, rows: Handle): void {
  ops.several('ResourceScatterNdUpdate', [store.layers[layer], places, rows], [], 0);
}

/** The rows of a layer for these slots: [slots.., kvHeads, maxLength, headDim]. */
export function rowsOf(ops: Ops, store: Store, layer: number, slots: Handle): Handle {
  return ops.op('ResourceGather', [store.layers[layer], slots], [floats(ops)]);
}

/** Copies slots `from` to slots `to`. */
export function copyRows(ops: Ops, store: Store, from: Handle, to: Handle): void {
  for (let layer = 0; layer < store.layers.length; layer++) {
    const rows = rowsOf(ops, store, layer, from);
    ops.several('ResourceScatterUpdate', [store.layers[layer], to, rows], [floats(ops)], 0);
    ops.free(rows);
  }
}

/** A tfjs tensor that represents this cache. */
export function give(backend: TensorFlowBackend, store: Store): TensorInfo {
  const dataId = {};
  const dtype = backend.binding.TF_FLOAT;
  backend.tensorMap.set(dataId, { id: -1, shape: store.shape, dtype, values: null, refCount: 1 });
  stores.set(dataId, store);
  return { dataId, shape: store.shape, dtype: 'float32' };
}

export function destroy({ binding }: TensorFlowBackend, store: Store): void {
  for (const { id } of store.layers) {
    binding.executeOp('DestroyResourceOp', [], [id], 0);
    binding.deleteTensor(id);
  }
}

/** Converts a cache to an ordinary tensor; leaves others unchanged. */
function settle(backend: TensorFlowBackend, dataId: DataId): void {
  const store = stores.get(dataId);
  if (!store) return;
  const [whole] = compose(backend, {}, (ops) => {
    const layers = store.layers.map((_, i) => read(ops, store, i));
    return [ops.op('Pack', layers, [ops.int('N', layers.length), ops.type('T', layers[0].dtype), ops.int('axis', 0)])];
  });
  const packed = backend.tensorMap.get(whole.dataId);
  const data = backend.tensorMap.get(dataId);
  data.id = packed.id;
  packed.id = -1; // its handle was moved
  backend.disposeData(whole.dataId);
  stores.delete(dataId);
  destroy(backend, store);
}

/** Adds support for caches to a backend: reading, computing with, and freeing them. */
export function withCaches(backend: TensorFlowBackend): TensorFlowBackend {
  const readSync = backend.readSync.bind(backend);
  const disposeData = backend.disposeData.bind(backend);
  const getInputTensorIds = backend.getInputTensorIds.bind(backend);
  backend.readSync = (dataId) => {
    settle(backend, dataId);
    return readSync(dataId);
  };
  backend.getInputTensorIds = (tensors) => {
    for (const { dataId } of tensors) if (dataId) settle(backend, dataId);
    return getInputTensorIds(tensors);
  };
  backend.disposeData = (dataId, force) => {
    const freed = disposeData(dataId, force);
    if (freed) forget(dataId);
    const store = freed ? stores.get(dataId) : undefined;
    if (store) {
      stores.delete(dataId);
      destroy(backend, store);
    }
    return freed;
  };
  return backend;
}
