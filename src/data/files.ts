/** The files of a dataset: a single one, a folder of shards, or the matches of a pattern. */
import { readdirSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import picomatch from 'picomatch';
import { isDatasetFile, patternIn, splitOf } from '../hub/dataset-files';
import { isFolder, statOf } from '../paths';
import { datasetError } from './rows';

/** For a folder whose files are named by split. */
export type Split = 'train' | 'test';

/**
 * The files in order. In a folder with files named by split, as on the Hub (`train-00000-of-00002.parquet`), those of
 * `split`; if there are none, those not named after another split, or else all. @throws UserError for a folder or
 * pattern without dataset files
 */
export function filesOf(path: string, split: Split): string[] {
  const stat = statOf(path);
  if (stat?.isDirectory()) return ofFolder(path, split);
  const found = stat ? null : patternIn(path);
  return found ? matching(path, found) : [path];
}

function matching(path: string, { root, pattern }: { root: string; pattern: string }): string[] {
  const isMatch = picomatch(pattern);
  const found = filesBelow(root, pattern.includes('/')).filter((file) => isMatch(slashes(relative(root, file))));
  if (found.length === 0) throw datasetError('no file matches this pattern', { file: path }, 'Check the pattern.');
  return found;
}

const slashes = (path: string) => path.replaceAll('\\', '/');

function filesBelow(folder: string, recursive: boolean): string[] {
  if (!isFolder(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive })
    .filter((entry) => entry.isFile())
    .map((entry) => resolve(entry.parentPath, entry.name))
    .sort();
}

function ofFolder(folder: string, split: Split): string[] {
  const files = filesBelow(folder, true).filter(isDatasetFile);
  if (files.length === 0)
    throw datasetError('there is no dataset file in this folder', { file: folder }, 'Name a file, or another folder.');
  const of = (file: string) => splitOf(relative(folder, file));
  const named = files.filter((file) => of(file) === split);
  if (named.length > 0) return named;
  const others = files.filter((file) => of(file) === undefined || of(file) === 'train');
  return others.length > 0 ? others : files;
}

/** Whether `path` is a folder whose `files` are all named by `split`. */
export const isParted = (path: string, files: readonly string[], split: Split): boolean =>
  isFolder(path) && files.every((file) => splitOf(relative(path, file)) === split);

/** The prefix of generated ids: a file's name, or for several files the path below their common folder. */
export function stemOf(file: string, files: readonly string[]): string {
  const bare = (name: string) => name.replace(/\.(gz|zst|zstd)$/i, '').replace(/\.[^.\\/]*$/, '');
  const alike = files.filter((other) => basename(other) === basename(file)).length;
  if (alike <= 1) return bare(basename(file));
  return bare(relative(dirname(dirname(files[0])), file).replaceAll('\\', '/'));
}
