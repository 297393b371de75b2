/**
 * Which files are datasets, and which split a path names: the same for folders on this machine and repositories of the
 * Hub.
 */

import { dirname, relative } from 'node:path';
import { isFolder } from '../paths';

const ending = /\.(jsonl|ndjson|json|csv|tsv|parquet|arrow|feather)(\.(gz|zst|zstd))?$/i;
/** Settings and descriptions, which are no rows. */
const settings = /\.(distillery|reward)\.json$|(^|[\\/])(config|state|dataset_dict|dataset_infos?)\.json$/i;
const split = /(?:^|[^a-z])(train|test|validation|valid|val|dev|eval)(?:[^a-z]|$)/i;

export const isDatasetFile = (path: string) => ending.test(path) && !settings.test(path);

/** What the file is, in lower case, packed or not: `parquet`. */
export const datasetKind = (path: string) => ending.exec(path)?.[1].toLowerCase();

/** The split that a relative path names first, in lower case. */
export const splitOf = (path: string) => split.exec(path)?.[1].toLowerCase();

/**
 * A path that is a pattern such as `data/*.jsonl`: the folder that is there, and the rest with forward slashes; null of
 * any other path. Folders may have brackets in their names.
 */
export function patternIn(path: string): { root: string; pattern: string } | null {
  let root = dirname(path);
  while (!isFolder(root) && root !== dirname(root)) root = dirname(root);
  const pattern = relative(root, path).replaceAll('\\', '/');
  // A first part without signs is a folder that is missing.
  return /[*?{[]/.test(pattern.split('/')[0]) ? { root, pattern } : null;
}
