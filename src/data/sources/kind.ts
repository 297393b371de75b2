/** Detects the kind of a dataset file: by its first bytes, then by its name. */
import { lfsMark, linesOf } from '../../lines';
import type { Split } from '../files';
import { datasetError } from '../rows';
import { arrowRows } from './arrow';
import { type Bytes, bytesOf, headOf } from './bytes';
import { csvRows } from './csv';
import { jsonLines, jsonValues } from './json';
import { heldRows, tableOf } from './json-table';
import { parquetRows } from './parquet';
import type { RowSource } from './source';

/**
 * The rows of a file of any kind; of a file with parts named by split, those of `split`. @throws UserError when it is
 * missing, a folder, damaged, or not a dataset
 */
export function rowsOf(file: string, split: Split = 'train'): RowSource {
  const head = headOf(file);
  const magic = head.toString('latin1', 0, 6);
  if (magic.startsWith('PAR1')) return parquetRows(file);
  if (magic === 'ARROW1' || head.readUInt32LE(0) === 0xffffffff) return arrowRows(file);
  refuseOthers(file, head);
  return textRows(bytesOf(file), split);
}

function textRows(bytes: Bytes, split: Split): RowSource {
  const [first = '', second = ''] = firstLines(bytes);
  const table = first.startsWith('{') ? tableOf(bytes, split) : null;
  if (table) return heldRows(bytes.file, table);
  if (first.startsWith('[') && first.endsWith(']') && second.startsWith('[')) return jsonLines(bytes);
  if (first.startsWith('[') || first === '{') return jsonValues(bytes);
  const csv = /\.(csv|tsv|tab)(\.\w+)?$/i.test(bytes.file) || (!/^[{"]/.test(first) && /[,;\t|]/.test(first));
  return csv && !first.startsWith('{') ? csvRows(bytes) : jsonLines(bytes);
}

/** The first two that are not blank. */
function firstLines(bytes: Bytes): string[] {
  const found: string[] = [];
  for (const { text } of linesOf(bytes.chunks(), bytes.file)) {
    if (text.trim() !== '') found.push(text.trim());
    if (found.length === 2) break;
  }
  return found;
}

/** Other kinds of files, by their first bytes. */
const others: [start: string, what: string, remedy: string][] = [
  ['FEA1', 'Feather of version 1', 'Write it as version 2, or as Parquet.'],
  ['PK\x03\x04', 'a ZIP archive', 'Extract it, and name the files in it.'],
  ['SQLite', 'a SQLite database', 'Write its table as JSON lines or CSV.'],
  ['BZh', 'compressed by bzip2', 'Decompress it, or use gzip or Zstandard.'],
  ['\xfd7zXZ', 'compressed by xz', 'Decompress it, or use gzip or Zstandard.'],
  ['\xff\xfe\0\0', 'UTF-32', 'Save it as UTF-8.'],
  ['\0\0\xfe\xff', 'UTF-32', 'Save it as UTF-8.'],
  ['\x80\x04', 'a pickle of Python', 'Write it as JSON lines or Parquet.'],
  ['\x80\x05', 'a pickle of Python', 'Write it as JSON lines or Parquet.'],
  ['<!DOCTYPE', 'a page of HTML', 'Fetch the file itself, not the page that shows it.'],
  ['<html', 'a page of HTML', 'Fetch the file itself, not the page that shows it.'],
  ['GGUF', 'a model', 'Use it as the student, and a dataset here.'],
  [lfsMark, 'a Git LFS pointer instead of the file itself', 'Download it with `git lfs pull`.'],
];

function refuseOthers(file: string, head: Buffer): void {
  const text = head.toString('latin1', 0, 64);
  const found = others.find(([start]) => text.startsWith(start));
  if (found) throw datasetError(`this is ${found[1]}`, { file }, found[2]);
}
