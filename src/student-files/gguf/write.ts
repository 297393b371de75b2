/** Writes GGUF files of version 3, tensor by tensor. */
import { replaceFile, writeFully } from '../files';
import { toBfloat16, toFloat16 } from '../half';
import { type MetadataValue, tensorTypes, valueTypes } from './types';

const writtenTypes = ['F32', 'F16', 'BF16', 'Q8_0'] as const;
export type WrittenType = (typeof writtenTypes)[number];

/** A metadata value with its type; arrays give that of their items. */
export type MetadataField = [key: string, type: 'u32' | 'i32' | 'f32' | 'bool' | 'string', value: MetadataValue];

/** A tensor to write, outermost dimension first. Its values are requested when it is written. */
export interface GgufSource {
  name: string;
  type: WrittenType;
  shape: number[];
  values: () => Float32Array;
}

const alignment = 32;
const aligned = (bytes: number) => Math.ceil(bytes / alignment) * alignment;

/** Writes `file` atomically. */
export function writeGguf(file: string, fields: readonly MetadataField[], sources: readonly GgufSource[]): void {
  const header: Buffer[] = [Buffer.from('GGUF'), u32(3), u64(sources.length), u64(fields.length)];
  for (const field of fields) header.push(encodeField(field));
  let offset = 0;
  for (const { name, type, shape } of sources) {
    const dimensions = [...shape].reverse();
    header.push(string(name), u32(shape.length), ...dimensions.map(u64), u32(tensorTypes[type].id), u64(offset));
    offset += aligned(storedBytes(type, shape));
  }
  const head = Buffer.concat(header);
  replaceFile(file, (descriptor) => {
    writeFully(descriptor, head);
    writeFully(descriptor, Buffer.alloc(aligned(head.length) - head.length));
    for (const source of sources) writeTensor(descriptor, source);
  });
}

function storedBytes(type: WrittenType, shape: readonly number[]): number {
  const { block, bytes } = tensorTypes[type];
  return (shape.reduce((size, dimension) => size * dimension, 1) / block) * bytes;
}

/** Elements encoded at a time: complete blocks of every type. */
const chunk = 1 << 18;

function writeTensor(descriptor: number, { name, type, shape, values: read }: GgufSource): void {
  const values = read();
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  if (values.length !== size) throw new Error(`Tensor ${name} has ${values.length} values for the shape [${shape}]`);
  for (let done = 0; done < size; done += chunk)
    writeFully(descriptor, encode(type, values.subarray(done, done + chunk)));
  const bytes = storedBytes(type, shape);
  writeFully(descriptor, Buffer.alloc(aligned(bytes) - bytes));
}

function encode(type: WrittenType, values: Float32Array): Uint8Array {
  if (type === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (type === 'Q8_0') return quantize8(values);
  const halves = new Uint16Array(values.length);
  if (type === 'F16') toFloat16(values, halves);
  else toBfloat16(values, halves);
  return new Uint8Array(halves.buffer);
}

/**
 * Blocks of 32: a float16 scale, 1/127 of the largest magnitude, and 32 integers (quantize_row_q8_0_ref in
 * ggml-quants.c).
 */
export function quantize8(values: Float32Array): Uint8Array {
  const out = new Uint8Array((values.length / 32) * 34);
  const half = new Uint16Array(1);
  const scale = new Float32Array(1);
  for (let block = 0; block < values.length / 32; block++) {
    let largest = 0;
    for (let i = 0; i < 32; i++) largest = Math.max(largest, Math.abs(values[32 * block + i]));
    scale[0] = largest / 127;
    const inverse = scale[0] === 0 ? 0 : Math.fround(1 / scale[0]);
    toFloat16(scale, half);
    out[34 * block] = half[0] & 255;
    out[34 * block + 1] = half[0] >> 8;
    for (let i = 0; i < 32; i++) {
      const value = Math.fround(values[32 * block + i] * inverse);
      out[34 * block + 2 + i] = Math.sign(value) * Math.round(Math.abs(value)); // halves away from zero, as roundf
    }
  }
  return out;
}

function encodeField([key, type, value]: MetadataField): Buffer {
  if (!Array.isArray(value)) return Buffer.concat([string(key), u32(valueTypes[type]), encodeValue(type, value)]);
  const head = [string(key), u32(valueTypes.array), u32(valueTypes[type]), u64(value.length)];
  return Buffer.concat(head.concat(value.map((item) => encodeValue(type, item))));
}

function encodeValue(type: MetadataField[1], value: number | boolean | string): Buffer {
  if (type === 'string') return string(value as string);
  if (type === 'bool') return Buffer.from([value ? 1 : 0]);
  const bytes = Buffer.alloc(4);
  if (type === 'u32') bytes.writeUInt32LE(value as number);
  else if (type === 'i32') bytes.writeInt32LE(value as number);
  else bytes.writeFloatLE(value as number);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([u64(bytes.length), bytes]);
}
