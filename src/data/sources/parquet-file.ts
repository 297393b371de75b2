/**
 * Parquet files, read by row groups: only one column chunk is in memory at a time, and all sizes in the file are
 * checked. hyparquet's public functions read whole columns and trust these sizes, so its decoders are called directly;
 * its version is exact in package.json.
 */
import fs from 'node:fs';
import { type FileMetaData, parquetMetadata, parquetSchema, type RowGroup, type SchemaTree } from 'hyparquet';
import { assembleNested } from 'hyparquet/src/assemble.js';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { getTreePath } from 'hyparquet/src/schema.js';
import { openForReading } from '../../lines';
import { datasetError } from '../rows';
import { decodeChunk, limits, ParquetFault } from './parquet-pages';
import { shortest } from './single-precision';

/** Maximum size of the footer, which describes columns and row groups. */
const maxFooter = 8 << 20;
const maxRowsOfGroup = 1 << 23;
const maxColumns = 10_000;
const magic = 'PAR1';

export interface ParquetFile {
  /** Names of the top-level columns. */
  columns: string[];
  rows: number;
  /** The values of some columns for rows `start` to `end`, one row group at a time. */
  read(
    columns: readonly string[],
    start: number,
    end: number,
  ): Generator<{ first: number; values: Map<string, unknown[]> }>;
  close(): void;
}

/**
 * Opens a file. Errors (here and while reading) name the file: not Parquet, damaged, encrypted, or above size limits.
 */
export function openParquet(file: string): ParquetFile {
  const handle = openForReading(file);
  try {
    const size = fs.fstatSync(handle).size;
    const metadata = guard(file, () => readMetadata(handle, size));
    const tree = guard(file, () => parquetSchema(metadata));
    return {
      columns: tree.children.map(({ element }) => element.name),
      rows: metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0),
      *read(columns, start, end) {
        let first = 0;
        for (const group of metadata.row_groups) {
          const rows = Number(group.num_rows);
          if (first < end && first + rows > start)
            yield { first, values: guard(file, () => readGroup({ handle, size, tree }, group, columns)) };
          first += rows;
        }
      },
      close: () => fs.closeSync(handle),
    };
  } catch (error) {
    fs.closeSync(handle);
    throw error;
  }
}

/** Converts any exception of a decoder on a damaged file to a UserError with the file's name. */
function guard<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const reason =
      error instanceof ParquetFault ? error.message : `damaged (${(error as Error).message.slice(0, 200)})`;
    throw datasetError(
      `this Parquet file cannot be read: ${reason}`,
      { file },
      'Write it again, or convert it to *.chains.jsonl.',
    );
  }
}

function readMetadata(handle: number, size: number): FileMetaData {
  if (size < 12) throw new ParquetFault('it is too short');
  const tail = readBytes(handle, size - 8, 8);
  const mark = Buffer.from(tail.subarray(4)).toString('latin1');
  if (mark === 'PARE') throw new ParquetFault('it is encrypted');
  if (mark !== magic) throw new ParquetFault('it does not end like a Parquet file; is it complete?');
  const length = new DataView(tail.buffer).getUint32(0, true);
  if (length > size - 12) throw new ParquetFault('its footer is longer than the file');
  if (length > maxFooter) throw new ParquetFault(`its footer has ${length} bytes, the maximum is ${maxFooter}`);
  const metadata = parquetMetadata(readBytes(handle, size - 8 - length, length + 8), { geoparquet: false });
  if (metadata.schema.length > maxColumns) throw new ParquetFault(`it has ${metadata.schema.length} columns`);
  for (const { num_rows: rows } of metadata.row_groups)
    if (typeof rows !== 'bigint' || rows < 0n || rows > BigInt(maxRowsOfGroup))
      throw new ParquetFault(`a row group claims ${rows} rows, the maximum is ${maxRowsOfGroup}`);
  return metadata;
}

interface OpenParquet {
  handle: number;
  size: number;
  tree: SchemaTree;
}

function readGroup(
  { handle, size, tree }: OpenParquet,
  group: RowGroup,
  columns: readonly string[],
): Map<string, unknown[]> {
  const rows = Number(group.num_rows);
  const decoded = new Map<string, unknown[]>();
  for (const { meta_data: meta, file_path: elsewhere } of group.columns) {
    if (!meta || elsewhere) throw new ParquetFault('its columns lie in other files');
    const path = meta.path_in_schema;
    if (!columns.includes(path[0])) continue;
    const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
    const length = Number(meta.total_compressed_size);
    if (!(start >= 4 && length >= 0 && start + length <= size))
      throw new ParquetFault('a column lies outside of the file');
    if (length > limits.chunkBytes) throw new ParquetFault('a column chunk is too large: write smaller row groups');
    const schemaPath = getTreePath(tree, path);
    const decoder = {
      ...meta,
      pathInSchema: path,
      element: schemaPath.at(-1)!.element,
      schemaPath,
      parsers: DEFAULT_PARSERS,
    };
    const values = decodeChunk(readBytes(handle, start, length), decoder, rows);
    decoded.set(path.join('.'), meta.type === 'FLOAT' ? values.map(shortest) : values);
  }
  for (const child of tree.children) {
    const name = child.element.name;
    if (columns.includes(name) && child.children.length > 0)
      assembleNested(decoded as Parameters<typeof assembleNested>[0], child, DEFAULT_PARSERS);
    if (columns.includes(name) && !decoded.has(name))
      throw new ParquetFault(`its column "${name}" is missing in a row group`);
  }
  return decoded;
}

function readBytes(handle: number, start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (fs.readSync(handle, bytes, 0, length, start) !== length) throw new ParquetFault('it ends too early');
  return bytes;
}
