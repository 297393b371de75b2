import type { DataId } from '@tensorflow/tfjs-core';
import type { Handle, TensorFlowBackend } from './binding';

/** Notified when a tensor's data is freed, to drop values derived from it. */
const holders = new WeakMap<DataId, Set<Latest<unknown>>>();

/**
 * Caches values that a kernel derives from inputs shared between calls (positions, offsets, weights):
 * created once, freed when one of those inputs is freed or others arrive. Inputs are compared by their data, which tfjs
 * never changes.
 */
export class Latest<T> {
  private keys: WeakRef<object>[] = [];
  private extra = '';
  private value: T | null = null;
  private handles: Handle[] = [];
  private backend: TensorFlowBackend | null = null;

  /** `make` must keep the handles that it needs. */
  of(backend: TensorFlowBackend, keys: object[], extra: string, make: (keep: (handle: Handle) => Handle) => T): T {
    const same =
      this.value !== null &&
      this.backend === backend &&
      this.extra === extra &&
      keys.length === this.keys.length &&
      keys.every((key, i) => this.keys[i].deref() === key);
    if (same) return this.value as T;
    this.clear();
    this.backend = backend;
    this.value = make((handle) => {
      this.handles.push(handle);
      return handle;
    });
    this.keys = keys.map((key) => new WeakRef(key));
    this.extra = extra;
    for (const key of keys) holders.set(key, (holders.get(key) ?? new Set()).add(this as Latest<unknown>));
    return this.value;
  }

  clear(): void {
    for (const { id } of this.handles) this.backend?.binding.deleteTensor(id);
    this.handles = [];
    this.value = null;
    for (const key of this.keys) holders.get(key.deref() ?? {})?.delete(this as Latest<unknown>);
    this.keys = [];
  }
}

/** Frees everything derived from a tensor whose data is freed. */
export function forget(dataId: DataId): void {
  for (const latest of [...(holders.get(dataId) ?? [])]) latest.clear();
}
