/**
 * Decodes the pages of a Parquet column chunk (https://parquet.apache.org/docs/file-format/data-pages/) with hyparquet,
 * after checking the claims of a possibly hostile file: hyparquet trusts sizes, counts and run lengths, and a run of
 * twelve bytes can stand for 2^31 values. Its main functions leave no place for these checks, between decompressing and
 * decoding a page, and without them such a file ends the process, even in a worker with a memory limit; so the decoders
 * are called in the modules that its package.json exports (`hyparquet/src/*`), at an exact version.
 */
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { DecodedArray, PageHeader } from 'hyparquet';
import { snappyUncompress } from 'hyparquet';
import { parquetHeader, readPage } from 'hyparquet/src/column.js';
import { convert } from 'hyparquet/src/convert.js';
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, isFlatColumn } from 'hyparquet/src/schema.js';
import { decompressLz4, decompressLz4Raw, decompressZstd } from 'hyparquet-compressors';

export type ColumnDecoder = Parameters<typeof readPage>[2];

export const limits = {
  /** Maximum bytes of a page, decompressed; writers aim at 1 MB. */
  pageBytes: 256 << 20,
  /** Maximum bytes of a column chunk, decompressed, including the dictionary. */
  chunkBytes: 1 << 30,
  /** Maximum values of a page and of a column chunk. */
  values: 1 << 24,
};

/** A description of what is wrong with a file, for a UserError; the reader adds the file's name. */
export class ParquetFault extends Error {}

/** The values of a column chunk, one per row; lists become nested arrays. `bytes` are those of the whole chunk. */
export function decodeChunk(bytes: Uint8Array, decoder: ColumnDecoder, rows: number): unknown[] {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  const flat = isFlatColumn(decoder.schemaPath);
  const values: unknown[] = [];
  let dictionary: DecodedArray | undefined;
  let open: DecodedArray | undefined; // a list may continue in the next page
  let [total, counted] = [0, 0];
  while (reader.offset < bytes.length && (!flat || values.length < rows)) {
    const header = parquetHeader(reader);
    total += checkSizes(header, bytes.length - reader.offset);
    counted += countOf(header);
    if (total > limits.chunkBytes || counted > 2 * limits.values)
      throw new ParquetFault('a column chunk is too large: write smaller row groups');
    const compressed = bytes.subarray(reader.offset, reader.offset + header.compressed_page_size);
    reader.offset += compressed.length;
    if (header.type === 'INDEX_PAGE') continue;
    const { page, plain } = decompress(header, compressed, decoder);
    checkPage(page, plain, decoder);
    const pageReader = { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset: 0 };
    const { data } = readPage(
      pageReader,
      plain,
      { ...decoder, codec: 'UNCOMPRESSED' },
      dictionary,
      flat ? undefined : open,
      0,
    );
    if (!data) continue;
    if (header.type === 'DICTIONARY_PAGE') dictionary = convert(data, decoder);
    else if (flat) for (const value of data) values.push(value);
    else open = data;
  }
  const decoded = flat ? values : [...(open ?? [])];
  if (decoded.length < rows) throw new ParquetFault(`a column has ${decoded.length} values for ${rows} rows`);
  return decoded;
}

const countOf = ({
  data_page_header: v1,
  data_page_header_v2: v2,
  dictionary_page_header: dictionary,
}: PageHeader): number => (v1 ?? v2 ?? dictionary)?.num_values ?? 0;

/** Checks a page header against the available bytes, and returns the decompressed size. */
function checkSizes(header: PageHeader, left: number): number {
  const { compressed_page_size: compressed, uncompressed_page_size: size } = header;
  if (!isCount(compressed) || compressed > left) throw new ParquetFault('a page goes beyond its column chunk');
  if (!isCount(size) || size > limits.pageBytes)
    throw new ParquetFault(`a page claims ${size} bytes, the maximum is ${limits.pageBytes}`);
  const count = countOf(header);
  if (!isCount(count) || count > limits.values) throw new ParquetFault(`a page claims ${count} values`);
  return size;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** The page in uncompressed form, with a matching header. */
function decompress(
  header: PageHeader,
  bytes: Uint8Array,
  { codec }: ColumnDecoder,
): { page: Uint8Array; plain: PageHeader } {
  const v2 = header.data_page_header_v2;
  const levels = v2 ? v2.repetition_levels_byte_length + v2.definition_levels_byte_length : 0;
  if (!isCount(levels) || levels > bytes.length || levels > header.uncompressed_page_size)
    throw new ParquetFault('the levels of a page are longer than the page');
  const size = header.uncompressed_page_size - levels;
  const packed = bytes.subarray(levels);
  const values = codec === 'UNCOMPRESSED' || v2?.is_compressed === false ? packed : unpack(codec, packed, size);
  if (values.length !== size) throw new ParquetFault(`a page claims ${size} bytes but has ${values.length}`);
  const page = new Uint8Array(levels + size);
  page.set(bytes.subarray(0, levels));
  page.set(values, levels);
  const plain = { ...header, compressed_page_size: page.length, uncompressed_page_size: page.length };
  return { page, plain: v2 ? { ...plain, data_page_header_v2: { ...v2, is_compressed: false } } : plain };
}

/** Never produces more than `size` bytes, whatever the compressed input says. */
function unpack(codec: ColumnDecoder['codec'], bytes: Uint8Array, size: number): Uint8Array {
  if (size === 0) return new Uint8Array(0);
  switch (codec) {
    case 'GZIP':
      return gunzipSync(bytes, { maxOutputLength: size });
    case 'BROTLI':
      return brotliDecompressSync(bytes, { maxOutputLength: size });
    case 'ZSTD':
      return decompressZstd(bytes, new Uint8Array(size));
    case 'LZ4':
      return decompressLz4(bytes, size);
    case 'LZ4_RAW':
      return decompressLz4Raw(bytes, size);
    case 'SNAPPY': {
      const output = new Uint8Array(size);
      snappyUncompress(bytes, output);
      return output;
    }
    default:
      throw new ParquetFault(`compressed by ${codec ?? 'an unknown method'}, which is not supported`);
  }
}

const encodings = [
  ...['PLAIN', 'PLAIN_DICTIONARY', 'RLE_DICTIONARY', 'RLE'],
  ...['DELTA_BINARY_PACKED', 'DELTA_LENGTH_BYTE_ARRAY', 'DELTA_BYTE_ARRAY', 'BYTE_STREAM_SPLIT'],
];

/** Checks the counts inside an uncompressed data page: levels, dictionary indices, delta blocks. */
function checkPage(page: Uint8Array, header: PageHeader, { schemaPath, type }: ColumnDecoder): void {
  const { data_page_header: v1, data_page_header_v2: v2 } = header;
  const data = v1 ?? v2;
  if (!data) return;
  const { num_values: count, encoding } = data;
  if (!encodings.includes(encoding)) throw new ParquetFault(`encoded as ${encoding}, which is not supported`);
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  let at = 0;
  let values = count;
  for (const [max, length] of [
    [getMaxRepetitionLevel(schemaPath), v2?.repetition_levels_byte_length],
    [getMaxDefinitionLevel(schemaPath), v2?.definition_levels_byte_length],
  ] as [number, number | undefined][]) {
    if (max === 0) {
      at += length ?? 0;
      continue;
    }
    const width = 32 - Math.clz32(max);
    const start = length === undefined ? at + 4 : at;
    const bytes = length ?? view.getUint32(at, true);
    checkRuns(view, [start, start + bytes], width, count);
    const levels = new Array<number>(count);
    readRleBitPackedHybrid({ view, offset: start }, width, levels, bytes);
    if (levels.some((level) => level > max)) throw new ParquetFault('a level is out of range');
    values = count;
    for (const level of levels) if (level !== max) values--;
    at = start + bytes;
  }
  if (v2) values = count - v2.num_nulls;
  if (!isCount(values)) throw new ParquetFault('a page has more nulls than values');
  if (encoding.endsWith('_DICTIONARY')) {
    const width = page[at];
    if (width > 32) throw new ParquetFault('the indices of a page are wider than 32 bits');
    if (width > 0) checkRuns(view, [at + 1, page.length], width, values);
  } else if (encoding === 'RLE') {
    if (type !== 'BOOLEAN') throw new ParquetFault(`${type} encoded as RLE, which is not supported`);
    checkRuns(view, [at + 4, page.length], 1, values);
  } else if (encoding === 'DELTA_BYTE_ARRAY') checkPrefixes(view, at, values);
  else if (encoding.startsWith('DELTA_')) checkDelta(view, at);
}

/** Each value repeats a part of the previous one, so a short page can expand to any size. */
function checkPrefixes(view: DataView, at: number, count: number): void {
  if (count === 0) return;
  const reader = { view, offset: at };
  const lengths = () => {
    checkDelta(view, reader.offset);
    const output = new Int32Array(count);
    deltaBinaryUnpack(reader, count, output);
    return output;
  };
  const [prefixes, suffixes] = [lengths(), lengths()];
  let [bytes, before] = [0, 0];
  for (const [i, prefix] of prefixes.entries()) {
    if (prefix < 0 || suffixes[i] < 0 || prefix > before)
      throw new ParquetFault('a value repeats more than the one before has');
    before = prefix + suffixes[i];
    bytes += before;
    if (bytes > limits.pageBytes) throw new ParquetFault(`a page expands to more than ${limits.pageBytes} bytes`);
  }
}

/**
 * Walks the runs of the RLE / bit-packing hybrid up to `count` values, and refuses runs with more values than expected.
 */
function checkRuns(view: DataView, [start, end]: [number, number], width: number, count: number): void {
  if (end > view.byteLength) throw new ParquetFault('the levels of a page are longer than the page');
  let at = start;
  for (let seen = 0; seen < count; ) {
    const { value: head, next } = varint(view, at, end);
    at = next;
    const packed = (head & 1) === 1;
    const length = packed ? 8 * Math.floor(head / 2) : Math.floor(head / 2);
    // The last group of eight is padded; some writers add more padding.
    if (length > count - seen + (packed ? 512 : 0) || length === 0)
      throw new ParquetFault('a run is longer than its page');
    seen += length;
    at += packed ? (length / 8) * width : Math.ceil(width / 8);
  }
}

function varint(view: DataView, at: number, end: number): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    if (at + i >= end) throw new ParquetFault('a page ends too early');
    const byte = view.getUint8(at + i);
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) {
      if (value > 0x7fffffff) break;
      return { value, next: at + i + 1 };
    }
  }
  throw new ParquetFault('a count is out of range');
}

/** The header of a delta encoding: values per block, and number of miniblocks. */
function checkDelta(view: DataView, at: number): void {
  const block = varint(view, at, view.byteLength);
  const parts = varint(view, block.next, view.byteLength);
  const sound =
    parts.value > 0 &&
    parts.value <= 512 &&
    block.value > 0 &&
    block.value <= 1 << 20 &&
    block.value % parts.value === 0;
  if (!sound) throw new ParquetFault('a delta block has an impossible size');
}
