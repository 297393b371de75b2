/** What kind of file a dataset is: by its first bytes, then by its name. */
import { linesOf } from '../../lines';
import { datasetError } from '../rows';
import { arrowRows } from './arrow';
import { type Bytes, bytesOf, headOf } from './bytes';
import { csvRows } from './csv';
import { jsonLines, jsonValues } from './json';
import { heldRows, tableOf } from './json-table';
import { parquetRows } from './parquet';
import type { RowSource } from './source';

/** The rows of a file of any kind. Errors: missing, a folder, no dataset, damaged. */
export function rowsOf(file: string): RowSource {
  const head = headOf(file);
  const magic = head.toString('latin1', 0, 6);
  if (magic.startsWith('PAR1')) return parquetRows(file);
  if (magic === 'ARROW1' || head.readUInt32LE(0) === 0xffffffff) return arrowRows(file);
  refuseOthers(file, head);
  return textRows(bytesOf(file));
}

function textRows(bytes: Bytes): RowSource {
  const first = firstLine(bytes);
  const table = first.startsWith('{') ? tableOf(bytes) : null;
  if (table) return heldRows(bytes.file, table);
  if (first.startsWith('[') || first === '{') return jsonValues(bytes);
  const csv = /\.(csv|tsv|tab)(\.\w+)?$/i.test(bytes.file) || (!/^[{"]/.test(first) && /[,;\t|]/.test(first));
  return csv && !first.startsWith('{') ? csvRows(bytes) : jsonLines(bytes);
}

function firstLine(bytes: Bytes): string {
  for (const { text } of linesOf(bytes.chunks(), bytes.file)) if (text.trim() !== '') return text.trim();
  return '';
}

/** Files of other kinds, by how they begin. */
const others: [start: string, what: string, remedy: string][] = [
  ['FEA1', 'Feather of version 1', 'Write it as version 2, or as Parquet.'],
  ['PK\x03\x04', 'a ZIP archive', 'Unpack it, and name the files in it.'],
  ['SQLite', 'a SQLite database', 'Write its table as JSON lines or CSV.'],
  ['BZh', 'packed by bzip2', 'Unpack it, or pack it by gzip or Zstandard.'],
  ['\xfd7zXZ', 'packed by xz', 'Unpack it, or pack it by gzip or Zstandard.'],
  ['GGUF', 'a model', 'Give it as the student, and a dataset here.'],
  ['version https://git-lfs', "a pointer of Git LFS, and the file itself isn't here", 'Fetch it with `git lfs pull`.'],
];

function refuseOthers(file: string, head: Buffer): void {
  const text = head.toString('latin1', 0, 64);
  const found = others.find(([start]) => text.startsWith(start));
  if (found) throw datasetError(`this is ${found[1]}`, { file }, found[2]);
}
