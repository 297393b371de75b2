/**
 * The header of a GGUF file (docs/gguf.md in ggml-org/ggml): magic, version, counts, metadata, tensor descriptions;
 * then, aligned, the tensors' bytes. Everything is checked against the file's size before memory is allocated for it,
 * as files are untrusted; @huggingface/gguf is made to show the metadata of published files.
 */
import { UserError } from '../../errors';
import { cursor, type GgufCursor } from './cursor';
import {
  type GgufTensor,
  type Metadata,
  type MetadataValue,
  otherTensorTypes,
  refuse,
  type TensorTypeName,
  tensorTypes,
  valueTypes,
} from './types';

/** A vocabulary of 250,000 tokens with its merges takes about 20 MB. */
const maxHeaderBytes = 128 << 20;
const maxStringBytes = 4 << 20;
const maxNameBytes = 1024;
/** Maximum number of strings, such as tokens and merges, as each has overhead. */
const maxItems = 4_000_000;
const maxTensors = 100_000;

export interface GgufHeader {
  version: number;
  metadata: Metadata;
  tensors: Map<string, GgufTensor>;
}

/** Reads and validates the header of an open file of `size` bytes. @throws UserError for an invalid header */
export function readHeader(descriptor: number, size: number, file: string): GgufHeader {
  const at = cursor(descriptor, size, maxHeaderBytes, file);
  if (size < 24) refuse(file, `has ${size} bytes, too few for a GGUF header: it is cut off`);
  if (at.u32() !== 0x46554747) refuse(file, 'is not a GGUF file: it does not begin with GGUF');
  const version = checkVersion(at.u32(), file);
  const tensorCount = at.u64();
  const valueCount = at.u64();
  // Smallest description of a tensor: name length, dimensions, type, offset; of a value: key length, type, one byte.
  if (tensorCount > Math.min(maxTensors, at.left / 24)) refuse(file, `claims ${tensorCount} tensors`);
  if (valueCount > Math.min(maxItems, at.left / 13)) refuse(file, `claims ${valueCount} metadata values`);
  const metadata = readMetadata(at, valueCount, file);
  const described = readDescriptions(at, tensorCount, file);

  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || alignment < 1 || alignment > 65536 || !Number.isInteger(Math.log2(alignment)))
    return refuse(file, `has the alignment ${alignment}; it must be a power of 2 up to 65536`);
  const start = Math.ceil(at.position / alignment) * alignment;
  const tensors = new Map<string, GgufTensor>();
  for (const [name, tensor] of described) {
    const offset = start + tensor.offset;
    const place = `: tensor ${JSON.stringify(name)}`;
    if (tensor.offset % alignment !== 0)
      refuse(file, `${place} begins at ${tensor.offset}, not at a multiple of ${alignment}`);
    if (offset + tensor.bytes > size)
      refuse(file, `${place} reaches to byte ${offset + tensor.bytes} of a file of ${size}: the file is cut off`);
    tensors.set(name, { ...tensor, offset });
  }
  checkOverlap(tensors, file);
  return { version, metadata, tensors };
}

function checkVersion(version: number, file: string): number {
  if (version === 2 || version === 3) return version;
  const swapped = version !== 0 && (version & 0xffff) === 0;
  throw new UserError(
    swapped
      ? 'The file is GGUF for big-endian machines'
      : `The file is GGUF of version ${version}; versions 2 and 3 are supported`,
    { file, remedy: 'Convert the model with a current llama.cpp.', code: 'checkpoint' },
  );
}

function readMetadata(at: GgufCursor, count: number, file: string): Metadata {
  const metadata: Metadata = new Map();
  for (let i = 0; i < count; i++) {
    const key = at.string(maxNameBytes, `the key of value ${i}`);
    if (metadata.has(key)) refuse(file, `names ${JSON.stringify(key)} twice in its metadata`);
    metadata.set(key, readValue(at, at.u32(), key, file));
  }
  return metadata;
}

/** A reader for one value of each type, and the minimum size of a value. */
const scalars = new Map<
  number,
  { read: (at: GgufCursor, key: string, file: string) => number | boolean | string; bytes: number }
>([
  [valueTypes.u8, { read: (at) => at.u8(), bytes: 1 }],
  [valueTypes.i8, { read: (at) => at.i8(), bytes: 1 }],
  [valueTypes.u16, { read: (at) => at.u16(), bytes: 2 }],
  [valueTypes.i16, { read: (at) => at.i16(), bytes: 2 }],
  [valueTypes.u32, { read: (at) => at.u32(), bytes: 4 }],
  [valueTypes.i32, { read: (at) => at.i32(), bytes: 4 }],
  [valueTypes.f32, { read: (at) => at.f32(), bytes: 4 }],
  [valueTypes.bool, { read: readBoolean, bytes: 1 }],
  [valueTypes.string, { read: (at, key) => at.string(maxStringBytes, `a string of ${JSON.stringify(key)}`), bytes: 8 }],
  [valueTypes.u64, { read: (at) => at.u64(), bytes: 8 }],
  [valueTypes.i64, { read: (at) => at.i64(), bytes: 8 }],
  [valueTypes.f64, { read: (at) => at.f64(), bytes: 8 }],
]);

function readBoolean(at: GgufCursor, key: string, file: string): boolean {
  const byte = at.u8();
  if (byte > 1) refuse(file, `: ${JSON.stringify(key)} is the byte ${byte}, not true or false`);
  return byte === 1;
}

function readValue(at: GgufCursor, type: number, key: string, file: string): MetadataValue {
  const isArray = type === valueTypes.array;
  const scalar = scalars.get(isArray ? at.u32() : type);
  if (!scalar) return refuse(file, `: ${JSON.stringify(key)} is of an unknown type, or an array of arrays`);
  if (!isArray) return scalar.read(at, key, file);
  const count = at.u64();
  if (count > Math.min(maxItems, at.left / scalar.bytes))
    refuse(file, `: the array ${JSON.stringify(key)} claims ${count} items`);
  const items: (number | boolean | string)[] = [];
  for (let i = 0; i < count; i++) items.push(scalar.read(at, key, file));
  return items as MetadataValue;
}

/** Names, types and shapes; offsets are relative to the start of the tensors' bytes. */
function readDescriptions(at: GgufCursor, count: number, file: string): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  for (let i = 0; i < count; i++) {
    const name = at.string(maxNameBytes, `the name of tensor ${i}`);
    const fail = (what: string): never => refuse(file, `: tensor ${JSON.stringify(name)} ${what}`);
    if (tensors.has(name)) fail('is there twice');
    const dimensions = at.u32();
    if (dimensions < 1 || dimensions > 4) fail(`has ${dimensions} dimensions; 1 to 4 are possible`);
    const inner = Array.from({ length: dimensions }, () => at.u64());
    const type = typeName(at.u32(), name, file);
    const { block, bytes: blockBytes } = tensorTypes[type];
    if (inner.some((size) => size < 1)) fail(`has the shape [${inner}]`);
    if (inner[0] % block !== 0)
      fail(`has rows of ${inner[0]} elements, which ${type} cannot divide into blocks of ${block}`);
    const elements = inner.reduce((product, size) => product * size, 1);
    if (!Number.isSafeInteger(elements * 4)) fail(`has the shape [${inner}], too large for any file`);
    const offset = at.u64();
    if (!Number.isSafeInteger(offset)) fail(`begins at ${offset}`);
    tensors.set(name, { type, shape: inner.reverse(), offset, bytes: (elements / block) * blockBytes });
  }
  return tensors;
}

function typeName(id: number, tensor: string, file: string): TensorTypeName {
  const known = Object.entries(tensorTypes).find(([, type]) => type.id === id);
  if (known) return known[0] as TensorTypeName;
  throw new UserError(`Tensor ${JSON.stringify(tensor)} is of type ${otherTensorTypes[id] ?? `number ${id}`}`, {
    file,
    remedy: `Use the model in another quantization: ${Object.keys(tensorTypes).join(', ')} are supported.`,
    code: 'checkpoint',
  });
}

function checkOverlap(tensors: Map<string, GgufTensor>, file: string): void {
  let end = 0;
  for (const [name, { offset, bytes }] of [...tensors].sort(([, a], [, b]) => a.offset - b.offset)) {
    if (offset < end) refuse(file, `: tensor ${JSON.stringify(name)} overlaps the one before it`);
    end = offset + bytes;
  }
}
