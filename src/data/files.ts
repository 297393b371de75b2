/** The files of a dataset: one, a folder of shards, or those that a pattern names. */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import picomatch from 'picomatch';
import { isDatasetFile, patternIn, splitOf } from '../hub/dataset-files';
import { datasetError } from './rows';

/** Of a folder whose files are named by split. */
export type Split = 'train' | 'test';

/**
 * The files in order. Of a folder whose files are named by split, as on the Hub (`train-00000-of-00002.parquet`), those
 * of `split`; without any, all that are not named by another one, or else all. Errors: a folder or a pattern without
 * files of datasets.
 */
export function filesOf(path: string, split: Split): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return ofFolder(path, split);
  const found = stat ? null : patternIn(path);
  return found ? matching(path, found) : [path];
}

function matching(path: string, { root, pattern }: { root: string; pattern: string }): string[] {
  const isMatch = picomatch(pattern);
  const found = filesBelow(root, pattern.includes('/')).filter((file) => isMatch(slashes(relative(root, file))));
  if (found.length === 0) throw datasetError('no file is named like this', { file: path }, 'Check the pattern.');
  return found;
}

const slashes = (path: string) => path.replaceAll('\\', '/');

function filesBelow(folder: string, recursive: boolean): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder, { withFileTypes: true, recursive })
    .filter((entry) => entry.isFile())
    .map((entry) => resolve(entry.parentPath, entry.name))
    .sort();
}

function ofFolder(folder: string, split: Split): string[] {
  const files = filesBelow(folder, true).filter(isDatasetFile);
  if (files.length === 0)
    throw datasetError('no file of a dataset is in this folder', { file: folder }, 'Name a file, or another folder.');
  const of = (file: string) => splitOf(relative(folder, file));
  const named = files.filter((file) => of(file) === split);
  if (named.length > 0) return named;
  const others = files.filter((file) => of(file) === undefined || of(file) === 'train');
  return others.length > 0 ? others : files;
}

/**
 * What the ids of rows without one begin with: a file's name, of several files the path below the folder they share.
 */
export function stemOf(file: string, files: readonly string[]): string {
  const bare = (name: string) => name.replace(/\.(gz|zst|zstd)$/i, '').replace(/\.[^.\\/]*$/, '');
  const alike = files.filter((other) => basename(other) === basename(file)).length;
  if (alike <= 1) return bare(basename(file));
  return bare(relative(dirname(dirname(files[0])), file).replaceAll('\\', '/'));
}
