/**
 * The header of a safetensors file, validated as strictly as by the reference reader (huggingface/safetensors, "Format"
 * in its README): 8 bytes with the little-endian length of a JSON object, the object, then the tensors' bytes without
 * gaps or overlap.
 */
import { type ParseErrorCode, visit } from 'jsonc-parser';
import { lfsMark } from '../lines';
import { isJsonObject, type JsonObject, lfsPointer, refuseDamaged } from './files';

/** Bytes per element, for every type of the format whose elements are whole bytes. */
export const dtypeBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;
export type Dtype = keyof typeof dtypeBytes;

/** The reference reader's limit, so that a hostile length cannot exhaust memory. */
const maxHeaderBytes = 100_000_000;

export interface TensorEntry {
  dtype: Dtype;
  shape: number[];
  /** Position of its bytes in the file, and their number. */
  offset: number;
  bytes: number;
}

export interface Header {
  tensors: Map<string, TensorEntry>;
  metadata: Record<string, string>;
}

/** The length of the header, from the first 8 bytes of a file of `fileBytes` bytes. */
export function headerLength(first: Uint8Array, fileBytes: number, file: string): number {
  if (fileBytes < 8) return refuse(file, `has ${fileBytes} bytes, too few for a safetensors header: it is cut off`);
  if (lfsMark.startsWith(Buffer.from(first.subarray(0, 8)).toString('latin1'))) throw lfsPointer(file);
  const view = new DataView(first.buffer, first.byteOffset, 8);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > maxHeaderBytes) refuse(file, `claims a header of ${length} bytes; the maximum is ${maxHeaderBytes}`);
  if (8 + length > fileBytes) refuse(file, `is cut off inside its header (${fileBytes} of ${8 + length} bytes)`);
  return length;
}

/** Parses and checks the header's JSON `text` (bytes 8 and on) of a file of `fileBytes` bytes. */
export function parseHeader(text: Uint8Array, fileBytes: number, file: string): Header {
  if (text[0] !== 0x7b) refuse(file, 'is not a safetensors file: its header does not begin with {');
  const tensors = new Map<string, TensorEntry>();
  let metadata: Record<string, string> = {};
  const start = 8 + text.length;
  for (const [name, value] of Object.entries(parseStrictly(text, file))) {
    if (name === '__metadata__') metadata = checkMetadata(value, file);
    else tensors.set(name, checkEntry(name, value, { start, fileBytes, file }));
  }
  checkCoverage(tensors, start, fileBytes, file);
  return { tensors, metadata };
}

/** JSON.parse silently keeps the last of two equal keys, so another parser looks for them. */
function parseStrictly(bytes: Uint8Array, file: string): JsonObject {
  let text: string;
  let value: unknown;
  let twice: string | undefined;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
    const open: Set<string>[] = [];
    visit(text, {
      onObjectBegin: () => void open.push(new Set()),
      onObjectEnd: () => void open.pop(),
      onObjectProperty: (key) => {
        if (open.at(-1)!.has(key)) twice ??= key;
        open.at(-1)!.add(key);
      },
      onError: (code: ParseErrorCode) => {
        throw new Error(`JSON error ${code}`);
      },
    });
  } catch (error) {
    return refuse(file, `has a header that is not JSON in UTF-8 (${(error as Error).message})`);
  }
  if (twice !== undefined) refuse(file, `names ${JSON.stringify(twice)} twice in its header`);
  if (!isJsonObject(value)) return refuse(file, 'has a header that is not a JSON object');
  return value;
}

function checkMetadata(value: unknown, file: string): Record<string, string> {
  if (!isJsonObject(value) || Object.values(value).some((item) => typeof item !== 'string'))
    return refuse(file, 'has a __metadata__ that is not a map from strings to strings');
  return value as Record<string, string>;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** A file of so many bytes, in which the tensors begin at `start`. */
interface Within {
  start: number;
  fileBytes: number;
  file: string;
}

function checkEntry(name: string, value: unknown, { start, fileBytes, file }: Within): TensorEntry {
  const fail = (what: string): never => refuse(file, `: tensor ${JSON.stringify(name)} ${what}`);
  if (!isJsonObject(value)) return fail('is not described by an object');
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  const [extra] = Object.keys(rest);
  if (extra !== undefined) fail(`has the unknown field ${JSON.stringify(extra)}`);
  if (typeof dtype !== 'string' || !Object.hasOwn(dtypeBytes, dtype))
    return fail(`has the unknown type ${JSON.stringify(dtype)}`);
  if (!Array.isArray(shape) || !shape.every(isCount)) return fail('has no shape of whole numbers');
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return fail('has no data_offsets of two whole numbers');
  let bytes: number = dtypeBytes[dtype as Dtype];
  for (const size of shape) {
    bytes *= size;
    if (!Number.isSafeInteger(bytes)) fail(`has the shape [${shape}], too large for any file`);
  }
  const [begin, end] = offsets as [number, number];
  if (end < begin) fail(`ends at ${end}, before its begin at ${begin}`);
  if (end - begin !== bytes) fail(`takes ${end - begin} bytes, but ${dtype} [${shape}] needs ${bytes}`);
  if (start + end > fileBytes) fail(`reaches to byte ${start + end} of a file of ${fileBytes}: the file is cut off`);
  return { dtype: dtype as Dtype, shape: shape as number[], offset: start + begin, bytes };
}

/** Every byte after the header belongs to exactly one tensor. */
function checkCoverage(tensors: Map<string, TensorEntry>, start: number, fileBytes: number, file: string): void {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes);
  let next = start;
  for (const [name, { offset, bytes }] of inOrder) {
    if (offset < next) refuse(file, `: tensor ${JSON.stringify(name)} overlaps the one before it`);
    if (offset > next)
      refuse(file, `: ${offset - next} bytes before tensor ${JSON.stringify(name)} belong to no tensor`);
    next = offset + bytes;
  }
  if (next !== fileBytes) refuse(file, `has ${fileBytes - next} bytes after its last tensor that belong to none`);
}

export function refuse(file: string, what: string): never {
  return refuseDamaged('safetensors', file, what);
}
