import { Random } from '../../random';
import type { AnyKernel, Block, KernelLibrary, KernelName, Values } from '../native/library';

/** A buffer that a kernel writes. */
interface Out {
  length: number;
  kind: typeof Float32Array | typeof Int32Array;
  /** Work space only: not among the results. */
  space?: boolean;
}

export const out = (length: number): Out => ({ length, kind: Float32Array });
export const outIds = (length: number): Out => ({ length, kind: Int32Array });
export const space = (length: number): Out => ({ length, kind: Float32Array, space: true });

/**
 * Calls a kernel with its inputs in the library's memory and returns copies of its outputs, which are initialized with
 * NaN to check that a kernel writes all of them.
 */
export function outputsOf(library: KernelLibrary, name: KernelName, args: (Values | number | null | Out)[]): Values[] {
  const blocks: Block[] = [];
  const allocate = (Kind: new (buffer: ArrayBufferLike, offset: number, length: number) => Values, length: number) => {
    const block = library.memory.allocate(Math.max(4 * length, 4));
    blocks.push(block);
    return new Kind(block.buffer, block.offset, length);
  };
  const outputs: Values[] = [];
  const given = args.map((arg) => {
    if (arg === null || typeof arg === 'number') return arg;
    if ('kind' in arg) {
      const values = allocate(arg.kind, arg.length).fill(Number.NaN);
      if (!arg.space) outputs.push(values);
      return values;
    }
    const values = allocate(arg instanceof Int32Array ? Int32Array : Float32Array, arg.length);
    values.set(arg);
    return values;
  });
  (library.kernels[name] as AnyKernel)(...given);
  const copies = outputs.map((values) => values.slice());
  for (const block of blocks) library.memory.release(block);
  return copies;
}

/** Numbers in [-1, 1) times `size`. */
export function noise(seed: number, length: number, size = 1): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length }, () => (2 * random.uniform() - 1) * size);
}
