import { parseJson, readLines } from '../lines';
import { isParquet } from './parquet-file';
import { datasetError } from './rows';

export const fileFormats = ['chains', 'gsm8k', 'bridge', 'parquet'] as const;
export type FileFormat = (typeof fileFormats)[number];

/** The format of a dataset by its first row. Throws a UserError when the file is missing, empty, or like none of them. */
export function guessFormat(file: string): FileFormat {
  if (isParquet(file)) return 'parquet';
  for (const { text, number } of readLines(file)) {
    if (text.trim() === '') continue;
    if (text.trimStart().startsWith('[')) return 'bridge';
    const place = { file, line: number };
    const row = parseJson(text, { ...place, code: 'dataset' }) as Record<string, unknown> | null;
    if (row && row.id !== undefined) return 'chains';
    if (typeof row?.answer === 'string' && /^####/m.test(row.answer)) return 'gsm8k';
    throw datasetError(
      'this looks like no format that is known',
      place,
      'Write {"id": ..., "question": ..., "answer": ..., "chain": ...} a line, or GSM8K\'s {"question": ..., "answer": "... #### n"}.',
    );
  }
  throw datasetError('the dataset is empty', { file }, 'Give a file with at least one row.');
}
