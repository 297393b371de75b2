/**
 * What a compiled form of /kernels offers: the kernels as functions, and the memory their data must lie in. One of the
 * two loaders gives it: addon.ts (native code) or wasm.ts (WebAssembly).
 */
export const kernelList = [
  'gemm',
  'round_products',
  'binary',
  'add_n',
  'scale',
  'glu',
  'glu_grad',
  'dropout',
  'sum_squares',
  'adam_w',
  'embed',
  'embed_grad',
  'add_rows',
  'sum_rows',
  'rms_norm',
  'rms_norm_grad',
  'rotate',
  'rotate_grad',
  'attend',
  'attend_grad',
  'token_log_probs',
  'token_log_probs_grad',
  'sample_token',
  'grpo_loss',
  'pack_weight',
  'packed_size',
  'decode_step',
] as const;

/** A kernel of kernels/list.h, which gives the order of its arguments. */
export type KernelName = (typeof kernelList)[number];

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
