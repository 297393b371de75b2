/** Reads and writes safetensors files tensor by tensor, with only the current tensor in memory. */
import { closeSync } from 'node:fs';
import { UserError } from '../errors';
import { openFile, readFully, replaceFile, writeFully } from './files';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half';
import {
  type Dtype,
  dtypeBytes,
  type Header,
  headerLength,
  parseHeader,
  refuse,
  type TensorEntry,
} from './safetensors-header';

export type FloatDtype = 'F32' | 'F16' | 'BF16';

/** An open file; `close` it. */
export interface SafetensorsFile extends Header {
  readonly file: string;
  /** The values of a F32, F16 or BF16 tensor. @throws UserError when it does not exist or has another type */
  readFloats(name: string): Float32Array;
  /** Whether the last `bytes` of the file are zeros, and some of them belong to a matrix. */
  endsInZeros(bytes: number): boolean;
  /** The values of an I32, U8 or I64 tensor. */
  readIntegers(name: string): Int32Array | Uint8Array | BigInt64Array;
  close(): void;
}

/** Opens `file` and validates its header; nothing else is read yet. @throws UserError that names file and tensor */
export function openSafetensors(file: string): SafetensorsFile {
  return openFile(file, (descriptor, size) => attach(descriptor, size, file));
}

function attach(descriptor: number, size: number, file: string): SafetensorsFile {
  const first = new Uint8Array(8);
  if (size >= 8) readFully({ descriptor, file, refuse }, first, 0);
  const text = new Uint8Array(headerLength(first, size, file));
  readFully({ descriptor, file, refuse }, text, 8);
  const header = parseHeader(text, size, file);

  const entry = (name: string, dtypes: Dtype[]): TensorEntry => {
    const found = header.tensors.get(name);
    if (!found) return refuse(file, `has no tensor ${JSON.stringify(name)}`);
    if (!dtypes.includes(found.dtype))
      throw new UserError(
        `Tensor ${JSON.stringify(name)} is of type ${found.dtype}; ${dtypes.join(', ')} can be read`,
        {
          file,
          remedy: 'Convert the file to one of these types.',
          code: 'checkpoint',
        },
      );
    return found;
  };
  return {
    file,
    ...header,
    endsInZeros: (bytes) => {
      const isMatrix = ({ shape, ...at }: TensorEntry) => shape.length > 1 && at.offset + at.bytes > size - bytes;
      if (size < bytes || ![...header.tensors.values()].some(isMatrix)) return false;
      const last = new Uint8Array(bytes);
      readFully({ descriptor, file, refuse }, last, size - bytes);
      return last.every((byte) => byte === 0);
    },
    readFloats: (name) => readFloats(descriptor, entry(name, ['F32', 'F16', 'BF16']), file),
    readIntegers: (name) => {
      const { dtype, bytes, offset } = entry(name, ['I32', 'U8', 'I64']);
      const raw = new Uint8Array(bytes);
      readFully({ descriptor, file, refuse }, raw, offset);
      if (dtype === 'I32') return new Int32Array(raw.buffer);
      return dtype === 'U8' ? raw : new BigInt64Array(raw.buffer);
    },
    close: () => closeSync(descriptor),
  };
}

/** Elements converted at a time. */
const chunk = 1 << 18;

function readFloats(descriptor: number, { dtype, bytes, offset }: TensorEntry, file: string): Float32Array {
  const values = new Float32Array(bytes / dtypeBytes[dtype]);
  if (dtype === 'F32') {
    readFully({ descriptor, file, refuse }, new Uint8Array(values.buffer), offset);
    return values;
  }
  const halves = new Uint16Array(Math.min(chunk, values.length));
  for (let done = 0; done < values.length; done += chunk) {
    const part = halves.subarray(0, Math.min(chunk, values.length - done));
    readFully({ descriptor, file, refuse }, new Uint8Array(part.buffer, 0, part.byteLength), offset + 2 * done);
    const target = values.subarray(done, done + part.length);
    if (dtype === 'BF16') fromBfloat16(part, target);
    else fromFloat16(part, target);
  }
  return values;
}

/** A tensor to write. Its values are requested when it is written, so that not all need to be in memory. */
export interface TensorSource {
  name: string;
  /** F32, F16 and BF16 take a Float32Array, I32 an Int32Array, I64 a BigInt64Array, U8 a Uint8Array. */
  dtype: FloatDtype | 'I32' | 'I64' | 'U8';
  shape: number[];
  values: () => Float32Array | Int32Array | BigInt64Array | Uint8Array;
}

/** Writes `file` atomically. Wide types come first so that every tensor is aligned, as in the reference writer. */
export function writeSafetensors(file: string, sources: TensorSource[], metadata: Record<string, string> = {}): void {
  const inOrder = [...sources].sort((a, b) => dtypeBytes[b.dtype] - dtypeBytes[a.dtype]);
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push(['__metadata__', metadata]);
  let end = 0;
  for (const { name, dtype, shape } of inOrder) {
    const begin = end;
    end += shape.reduce((size, dimension) => size * dimension, dtypeBytes[dtype]);
    entries.push([name, { dtype, shape, data_offsets: [begin, end] }]);
  }
  if (new Set(entries.map(([name]) => name)).size !== entries.length) throw new Error('Two tensors have the same name');
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const text = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  replaceFile(file, (descriptor) => {
    writeFully(descriptor, length);
    writeFully(descriptor, text);
    for (const source of inOrder) writeTensor(descriptor, source);
  });
}

function writeTensor(descriptor: number, { name, dtype, shape, values: read }: TensorSource): void {
  const values = read();
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  if (values.length !== size) throw new Error(`Tensor ${name} has ${values.length} values for the shape [${shape}]`);
  if (dtype !== 'F16' && dtype !== 'BF16') {
    writeFully(descriptor, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return;
  }
  const halves = new Uint16Array(Math.min(chunk, size));
  for (let done = 0; done < size; done += chunk) {
    const part = (values as Float32Array).subarray(done, done + chunk);
    if (dtype === 'BF16') toBfloat16(part, halves);
    else toFloat16(part, halves);
    writeFully(descriptor, new Uint8Array(halves.buffer, 0, 2 * part.length));
  }
}
