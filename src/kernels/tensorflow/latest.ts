import type { Handle, TensorFlowBackend } from './binding';

/**
 * What a kernel prepares from inputs that a whole batch shares (positions, offsets) and its other calls need again: made once, freed when
 * the next batch comes. Inputs are compared by their data, which tfjs never changes.
 */
export class Latest<T> {
  private keys: WeakRef<object>[] = [];
  private extra = '';
  private value: T | null = null;
  private handles: Handle[] = [];
  private backend: TensorFlowBackend | null = null;

  /** `make` keeps handles by the function it is given. */
  of(backend: TensorFlowBackend, keys: object[], extra: string, make: (keep: (handle: Handle) => Handle) => T): T {
    const same =
      this.value !== null &&
      this.backend === backend &&
      this.extra === extra &&
      keys.length === this.keys.length &&
      keys.every((key, i) => this.keys[i].deref() === key);
    if (same) return this.value as T;
    for (const { id } of this.handles) this.backend?.binding.deleteTensor(id);
    this.handles = [];
    this.value = make((handle) => {
      this.handles.push(handle);
      return handle;
    });
    this.keys = keys.map((key) => new WeakRef(key));
    this.extra = extra;
    this.backend = backend;
    return this.value;
  }
}
