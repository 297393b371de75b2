import { filesOf } from './files';
import { type FileFormat, firstRows } from './read';
import { datasetError, type Row, type RowPlace } from './rows';
import { rowsOf } from './sources/kind';

export type { FileFormat } from './read';

export const fileFormats = ['rows', 'chains', 'gsm8k', 'bridge', 'parquet'] as const satisfies readonly FileFormat[];

/** The keys of our own format. */
const own = ['id', 'question', 'answer', 'chain', 'student', 'meta'];

/**
 * The format of a dataset, judged by its first row: `rows`, with guessed columns, unless it is a format with fixed
 * columns. @throws UserError when the file is missing, empty, or has no rows
 */
export function guessFormat(path: string): FileFormat {
  const [file] = filesOf(path, 'train');
  const source = rowsOf(file);
  const [row] = firstRows([{ source }]);
  if (source.columns) return 'rows';
  if (row) return formatOf(row);
  for (const { fault, place } of source.rows(0) as Iterable<{ fault?: Error; place: RowPlace }>)
    throw (
      fault ??
      datasetError('the first row is not a JSON object', place, 'Write one object per row, with its columns as keys.')
    );
  throw datasetError('the dataset is empty', { file }, 'Use a file with at least one row.');
}

function formatOf(row: Row): FileFormat {
  if (row.gold_answer !== undefined && row.idx !== undefined) return 'bridge';
  const keys = Object.keys(row);
  const complete = [row.id, row.question, row.answer].every((value) => value !== undefined);
  if (complete && (row.chain !== undefined || keys.every((key) => own.includes(key)))) return 'chains';
  if (keys.length === 2 && row.question !== undefined && typeof row.answer === 'string' && /^####/m.test(row.answer))
    return 'gsm8k';
  return 'rows';
}
