import { Random } from '../../random';
import { nativeIsas, openAddon } from '../native/addon';
import type { KernelLibrary, KernelName, Values } from '../native/library';

/** The native kernels in every form that runs here, each with one thread and with three (more than there may be cores). */
export function nativeLibraries(): { isa: string; alone: KernelLibrary; together: KernelLibrary }[] {
  return usableIsas().map((isa) => ({
    isa,
    alone: openAddon({ isa, threads: 1 }),
    together: openAddon({ isa, threads: 3 }),
  }));
}

function usableIsas(): string[] {
  try {
    return nativeIsas();
  } catch {
    return []; // no C compiler here: the tests by backend then run on WebAssembly
  }
}

/** Calls a kernel with fresh outputs of these lengths in the places where the arguments say `out`, and returns them. */
export function outputsOf(
  library: KernelLibrary,
  name: KernelName,
  args: (Values | number | null | Out)[],
): Float32Array[] {
  const outputs: Float32Array[] = [];
  const given = args.map((arg) => {
    if (!(arg instanceof Out)) return arg;
    const values = new Float32Array(arg.length).fill(Number.NaN); // a kernel writes all of it
    if (!arg.space) outputs.push(values);
    return values;
  });
  library.kernels[name](...given);
  return outputs;
}

export class Out {
  constructor(
    readonly length: number,
    readonly space: boolean,
  ) {}
}

/** An output. */
export const out = (length: number) => new Out(length, false);
/** Temporary space. */
export const space = (length: number) => new Out(length, true);

/** Numbers in [-1, 1) times `size`. */
export function noise(seed: number, length: number, size = 1): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length }, () => (2 * random.uniform() - 1) * size);
}
