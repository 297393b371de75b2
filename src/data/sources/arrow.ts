/** Arrow IPC: streams (as Hugging Face's datasets store them) and files (Feather version 2). */
import { readFileSync } from 'node:fs';
import { compressionRegistry, tableFromIPC } from 'apache-arrow';
import { decompressZstd } from 'hyparquet-compressors';
import { once } from '../../once';
import { datasetError, type Row } from '../rows';
import { decodeLz4Frame } from './lz4-frame';
import { shortest } from './single-precision';
import type { RowSource } from './source';

/** Codec numbers of Arrow's format (Message.fbs). */
const codecs = { lz4: 0, zstd: 1 };

const prepare = once(() => {
  compressionRegistry.set(codecs.lz4, { decode: (bytes) => decodeLz4Frame(bytes) });
  compressionRegistry.set(codecs.zstd, { decode: (bytes) => decompressZstd(bytes).slice() });
});

/** @throws UserError for a damaged file, or one that is not Arrow */
export function arrowRows(file: string): RowSource {
  const table = guard(file, () => {
    prepare();
    return tableFromIPC(new Uint8Array(readFileSync(file)));
  });
  // Only decimals have a scale.
  const decimals = table.schema.fields.flatMap(({ name, type }) =>
    'scale' in type ? [{ name: String(name), scale: Number(type.scale) }] : [],
  );
  const singles = table.schema.fields.filter(({ type }) => String(type) === 'Float32').map(({ name }) => String(name));
  return {
    columns: table.schema.fields.map(({ name }) => String(name)),
    count: table.numRows,
    *rows(from) {
      for (let index = from; index < table.numRows; index++) {
        const row = guard(file, () => plain(table.get(index)) as Row);
        for (const { name, scale } of decimals) row[name] = decimalText(row[name], scale);
        for (const name of singles) row[name] = shortest(row[name]);
        yield { row, place: { file, row: index + 1 }, index };
      }
    },
  };
}

function guard<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const reason = (error as Error).message.slice(0, 200);
    throw datasetError(
      `this Arrow file cannot be read: ${reason}`,
      { file },
      'Write it again, or as Parquet or JSON lines.',
    );
  }
}

/** Converts a cell to its JSON form: lists to arrays, structs to objects, integers to digits. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8'); // as of a Parquet file
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Symbol.iterator in value && !('toJSON' in value && !isVector(value)))
    return Array.from(value as Iterable<unknown>, plain);
  const fields = 'toJSON' in value ? (value as { toJSON(): object }).toJSON() : value;
  return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, plain(field)]));
}

/** Digits of a decimal, which is a whole number of 10^-scale. */
function decimalText(value: unknown, scale: number): unknown {
  if (!(value instanceof Uint32Array)) return value;
  const words = [...value].toReversed().map((word) => word.toString(16).padStart(8, '0'));
  const digits = String(BigInt.asIntN(32 * value.length, BigInt(`0x${words.join('')}`)));
  const whole = /^(-?)(\d+)$/.exec(digits);
  if (!whole || scale <= 0) return digits;
  const padded = whole[2].padStart(scale + 1, '0');
  const fraction = padded.slice(-scale).replace(/0+$/, '');
  return `${whole[1]}${padded.slice(0, -scale)}${fraction && `.${fraction}`}`;
}

/** The values of a list. A struct is iterable too, but yields pairs. */
const isVector = (value: object) => 'length' in value;
