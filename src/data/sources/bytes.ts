/**
 * The text of a dataset file as UTF-8 bytes, whatever its compression and encoding; uncompressed files stay on disk.
 */
import { closeSync, fstatSync, readFileSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { chunksOf, openForReading } from '../../lines';
import { sizeOf } from '../../paths';
import { unzstd } from '../../zip';
import { datasetError } from '../rows';

export interface Bytes {
  file: string;
  /** From the first byte on; a chunk is released when the next one is requested. */
  chunks(): Iterable<Buffer>;
  read(start: number, end: number): Buffer;
}

/** Maximum uncompressed size of a compressed file, which is kept in memory. */
const maxUnpacked = 2 ** 31 - 1;
/**
 * Above 256 MB, a file may unpack to at most a hundred times its size, more than rows of text do: one made of zeros
 * would take a gigabyte of memory per megabyte.
 */
const [alwaysUnpacked, maxFactor] = [256 << 20, 100];
/** Maximum size of a file in UTF-16, which is kept in memory as one text. */
const maxWide = 512 << 20;

const mostUnpacked = (file: string) => Math.min(maxUnpacked, Math.max(alwaysUnpacked, maxFactor * sizeOf(file)));

export function bytesOf(file: string): Bytes {
  const head = headOf(file);
  if (head.readUInt16BE(0) === 0x1f8b) return inMemory(file, inUtf8(file, gunzip(file)));
  if (head.readUInt32LE(0) === 0xfd2fb528) return inMemory(file, inUtf8(file, ofZstd(file)));
  if (!wideEncoding(head)) return onDisk(file);
  refuseLong(file, sizeOf(file));
  return inMemory(file, inUtf8(file, readFileSync(file)));
}

function inUtf8(file: string, bytes: Buffer): Buffer {
  const encoding = wideEncoding(bytes);
  if (!encoding) return bytes;
  refuseLong(file, bytes.length);
  return Buffer.from(new TextDecoder(encoding).decode(bytes), 'utf8');
}

function refuseLong(file: string, size: number): void {
  if (size > maxWide)
    throw datasetError(`this file in UTF-16 is larger than ${maxWide >> 20} MB`, { file }, 'Save it as UTF-8.');
}

/** The first bytes of a file, at least four; bytes past the end are 0. */
export function headOf(file: string): Buffer {
  const handle = openForReading(file);
  try {
    const head = Buffer.alloc(4096);
    const size = readSync(handle, head, 0, head.length, 0);
    return head.subarray(0, Math.max(8, size));
  } finally {
    closeSync(handle);
  }
}

/** Detects UTF-16 by its byte-order mark, or by the zero bytes of ASCII characters. */
function wideEncoding(head: Buffer): 'utf-16le' | 'utf-16be' | null {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  if (head[0] > 0 && head[1] === 0 && head[2] > 0 && head[3] === 0) return 'utf-16le';
  if (head[0] === 0 && head[1] > 0 && head[2] === 0 && head[3] > 0) return 'utf-16be';
  return null;
}

const gunzip = (file: string) =>
  decompressed(file, 'gzip', () => gunzipSync(readFileSync(file), { maxOutputLength: mostUnpacked(file) }));

const ofZstd = (file: string) => decompressed(file, 'Zstandard', () => unzstd(chunksOf(file), mostUnpacked(file)));

function decompressed(file: string, what: string, decompress: () => Buffer): Buffer {
  try {
    return decompress();
  } catch (error) {
    throw datasetError(
      `this ${what} file cannot be decompressed: ${(error as Error).message}`,
      { file },
      'Compress it again, or decompress it.',
    );
  }
}

function inMemory(file: string, bytes: Buffer): Bytes {
  const block = 1 << 20;
  return {
    file,
    *chunks() {
      for (let at = 0; at < bytes.length; at += block) yield bytes.subarray(at, at + block);
    },
    read: (start, end) => bytes.subarray(start, end),
  };
}

/** Reads ahead when rows are read in order, so that one read serves many. */
const aheadBytes = 1 << 20;

function onDisk(file: string): Bytes {
  let held: Buffer = Buffer.alloc(0);
  let [from, last] = [0, -1];
  return {
    file,
    chunks: () => chunksOf(file),
    read(start, end) {
      if (start < from || end > from + held.length) {
        // A row far from the last one is part of a sample: the rows after it will not be needed.
        const next = start >= last && start - last < 4096;
        held = readRange(file, start, next ? Math.max(end, start + aheadBytes) : end);
        from = start;
      }
      last = end;
      return held.subarray(start - from, end - from);
    },
  };
}

function readRange(file: string, start: number, end: number): Buffer {
  const handle = openForReading(file);
  try {
    const bytes = Buffer.alloc(Math.max(0, Math.min(end, fstatSync(handle).size) - start));
    return bytes.subarray(0, readSync(handle, bytes, 0, bytes.length, start));
  } finally {
    closeSync(handle);
  }
}
