/** Metadata value types and tensor types of GGUF files. Numbers and sizes are those of ggml (ggml.h, ggml-common.h). */
import { UserError } from '../../errors';
import { refuseDamaged } from '../files';

export type MetadataValue = number | boolean | string | number[] | boolean[] | string[];
export type Metadata = Map<string, MetadataValue>;

/** Types of metadata values by their number in the file (docs/gguf.md in ggml-org/ggml). */
export const valueTypes = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
} as const;

export interface TensorType {
  /** Its number in the file. */
  id: number;
  /** Elements per block along a row, and bytes per block. */
  block: number;
  bytes: number;
}

/** The supported types. */
export const tensorTypes = {
  F32: { id: 0, block: 1, bytes: 4 },
  F16: { id: 1, block: 1, bytes: 2 },
  BF16: { id: 30, block: 1, bytes: 2 },
  Q4_0: { id: 2, block: 32, bytes: 18 },
  Q4_1: { id: 3, block: 32, bytes: 20 },
  Q5_0: { id: 6, block: 32, bytes: 22 },
  Q5_1: { id: 7, block: 32, bytes: 24 },
  Q8_0: { id: 8, block: 32, bytes: 34 },
  Q3_K: { id: 11, block: 256, bytes: 110 },
  Q4_K: { id: 12, block: 256, bytes: 144 },
  Q5_K: { id: 13, block: 256, bytes: 176 },
  Q6_K: { id: 14, block: 256, bytes: 210 },
  IQ4_NL: { id: 20, block: 32, bytes: 18 },
  IQ4_XS: { id: 23, block: 256, bytes: 136 },
} as const satisfies Record<string, TensorType>;

export type TensorTypeName = keyof typeof tensorTypes;

/** Known but unsupported types, for messages. */
export const otherTensorTypes: Record<number, string> = {
  9: 'Q8_1',
  10: 'Q2_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  21: 'IQ3_S',
  22: 'IQ2_S',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  31: 'Q4_0_4_4',
  32: 'Q4_0_4_8',
  33: 'Q4_0_8_8',
  34: 'TQ1_0',
  35: 'TQ2_0',
  36: 'IQ4_NL_4_4',
  37: 'IQ4_NL_4_8',
  38: 'IQ4_NL_8_8',
  39: 'MXFP4',
  40: 'NVFP4',
};

export interface GgufTensor {
  type: TensorTypeName;
  /** Outermost dimension first, as in safetensors; the file has the reverse order. */
  shape: number[];
  /** Position of its bytes in the file, and their number. */
  offset: number;
  bytes: number;
}

export function refuse(file: string, what: string): never {
  return refuseDamaged('GGUF', file, what);
}

/** Refuses an intact file with an unsupported model; `remedy` names an alternative. */
export function refuseKind(file: string, what: string, remedy: string): never {
  throw new UserError(`The file ${what}, which is not supported`, { file, remedy, code: 'checkpoint' });
}
