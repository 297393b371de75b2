import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { DataSource } from '../config/experiment';
import { hashFile } from '../lines';
import { type ArithmeticSplit, arithmeticDefaults, arithmeticItems } from './arithmetic';
import type { Dataset } from './dataset';
import { readProblems } from './read';

/**
 * The problems of a config. Paths are relative to `baseFolder`. `split` selects the part of the generator's stories
 * that `arithmetic` draws from (for any seeds, a test split shares no story with a train split), and files named by
 * split in a folder. `progress` is called from time to time with the number of rows.
 */
export function loadData(
  source: DataSource,
  baseFolder: string,
  split: ArithmeticSplit = 'train',
  progress?: (rows: number) => void,
): Dataset {
  if (source.format === 'arithmetic') {
    const { seed, operations, maxValue, count, start, chains = count } = source;
    const items = arithmeticItems({ ...arithmeticDefaults, seed, operations, maxValue }, split, count, start);
    const problems = items.map((item, i) => (i < chains ? item : { ...item, chain: undefined }));
    const hash = createHash('sha256');
    for (const problem of problems) hash.update(`${JSON.stringify(problem)}\n`);
    return { format: source.format, problems, hash: hash.digest('hex') };
  }
  const file = resolve(baseFolder, source.path);
  const { files, ...read } = readProblems(file, source.format, {
    ...source,
    split: source.split ?? (split === 'test' ? 'test' : 'train'),
    progress,
  });
  let hash: string | undefined;
  return {
    ...read,
    format: source.format,
    file,
    /** Computed on first use, from the files at that time. */
    get hash() {
      hash ??= files.length === 1 ? hashFile(files[0]) : hashOf(files);
      return hash;
    },
  };
}

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${hashFile(file)}\n`);
  return hash.digest('hex');
}
