/**
 * The interface of compiled kernels: the kernels as functions, and the memory for their data. Loaded by addon.ts
 * (native code) or wasm.ts (WebAssembly).
 */
import type { ArgumentsOf, KernelName } from './table';

export { type KernelName, kernelList } from './table';

export type Values = Float32Array | Int32Array | Uint8Array;

/** Data, a number, or nothing (null, equivalent to 0). */
export type KernelArgument = Values | number | null;

/** Each kernel with its own arguments; data are `Data`. */
export type KernelCalls<Data = Values> = { [Name in KernelName]: (...args: ArgumentsOf<Name, Data>) => void };

/** Any kernel: its arguments are checked when it is called. */
export type AnyKernel = (...args: readonly KernelArgument[]) => void;

/** The arguments of a call as compiled kernels take them: groups, if there are any, in the same list. */
export function flatArguments<Data = Values>(args: readonly unknown[]): (Data | number | null)[] {
  const groups = args.at(-1);
  if (!Array.isArray(groups)) return args as (Data | number | null)[];
  const flat = args.slice(0, -1) as (Data | number | null)[];
  for (const group of groups) for (const arg of group) flat.push(arg);
  return flat;
}

/** A block of memory for kernels; at least as long as requested, contents undefined. */
export interface Block {
  readonly buffer: ArrayBufferLike;
  readonly offset: number;
  /** Its actual length in bytes, a multiple of 4. */
  readonly bytes: number;
}

export interface KernelMemory {
  allocate(bytes: number): Block;
  release(block: Block): void;
  /** Whether kernels can use this array directly. */
  reaches(values: Values): boolean;
  /** Whether this array is in one of the blocks. */
  owns(values: Values): boolean;
  /** Bytes in allocated blocks, and bytes kept for reuse. */
  usage(): { used: number; idle: number };
}

export interface KernelLibrary {
  readonly target: 'native' | 'wasm';
  /** Instruction set: generic, avx2, avx512, neon, simd128 or relaxed-simd128. */
  readonly isa: string;
  readonly threads: number;
  readonly kernels: KernelCalls;
  readonly memory: KernelMemory;
}
