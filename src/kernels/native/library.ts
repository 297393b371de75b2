/**
 * What a compiled form of /kernels offers: the kernels as functions, and the memory their data must lie in. One of the
 * two loaders gives it: addon.ts (native code) or wasm.ts (WebAssembly).
 */
import type { KernelName } from './table';

export { type KernelName, kernelList } from './table';

export type Values = Float32Array | Int32Array | Uint8Array;

/** Data, a number, or nothing (null, as good as 0). */
export type KernelArgument = Values | number | null;

export type KernelCall<Argument = KernelArgument> = Record<KernelName, (...args: Argument[]) => void>;

/** A piece of memory that kernels can use; at least as long as was asked for, contents undefined. */
export interface Block {
  readonly buffer: ArrayBufferLike;
  readonly offset: number;
  /** Its whole length in bytes, a multiple of 4. */
  readonly bytes: number;
}

export interface KernelMemory {
  allocate(bytes: number): Block;
  release(block: Block): void;
  /** Can kernels be given this array as it is? */
  reaches(values: Values): boolean;
  /** Does this array lie in one of the blocks? */
  owns(values: Values): boolean;
  /** Bytes in blocks that are allocated now, and bytes held for later ones. */
  usage(): { used: number; idle: number };
}

export interface KernelLibrary {
  readonly target: 'native' | 'wasm';
  /** Instruction set: generic, avx2, avx512, neon or simd128. */
  readonly isa: string;
  readonly threads: number;
  readonly kernels: KernelCall;
  readonly memory: KernelMemory;
}
