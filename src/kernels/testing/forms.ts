import { nativeIsas, openAddon } from '../native/addon';
import type { KernelLibrary, Values } from '../native/library';
import { openWasm, wasmIsas } from '../native/wasm';

export interface Form {
  name: string;
  /** One thread, and three: more than the cores of a small machine, so that work is really divided. */
  one: KernelLibrary;
  three: KernelLibrary;
}

/** Every form of the kernels that this machine supports. */
export async function kernelForms(): Promise<Form[]> {
  const native = isBuilt()
    ? nativeIsas().map((isa) => ({
        name: isa,
        one: openAddon({ isa, threads: 1 }),
        three: openAddon({ isa, threads: 3 }),
      }))
    : [];
  const wasm = wasmIsas().map((isa) => ({
    name: `wasm, ${isa}`,
    one: openWasm({ isa, threads: 1 }),
    three: openWasm({ isa, threads: 3 }),
  }));
  await new Promise((resolve) => setTimeout(resolve, 300)); // waits for the workers
  return [...native, ...wasm];
}

function isBuilt(): boolean {
  try {
    return nativeIsas().length > 0;
  } catch (error) {
    console.warn(`native kernels are not tested: ${(error as Error).message}`);
    return false;
  }
}

/** A copy of the values in the library's memory. */
export function place<T extends Values>(library: KernelLibrary, values: T): T {
  const { buffer, offset } = library.memory.allocate(values.byteLength);
  const Kind = values.constructor as new (buffer: ArrayBufferLike, offset: number, length: number) => T;
  const placed = new Kind(buffer, offset, values.length);
  placed.set(values);
  return placed;
}

/** Space for n floats, filled with NaN to reveal values that a kernel does not write. */
export function space(library: KernelLibrary, n: number): Float32Array {
  return place(library, new Float32Array(n).fill(Number.NaN));
}
