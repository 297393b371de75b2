/** Dataset files and the splits in their paths, for local folders and repositories of the Hub alike. */

import { dirname, relative } from 'node:path';
import { isFolder } from '../paths';

const ending = /\.(jsonl|ndjson|json|csv|tsv|parquet|arrow|feather)(\.(gz|zst|zstd))?$/i;
/** Settings and descriptions, which have no rows. */
const settings = /\.(distillery|reward)\.json$|(^|[\\/])(config|state|dataset_dict|dataset_infos?)\.json$/i;
const split = /(?:^|[^a-z])(train|test|validation|valid|val|dev|eval)(?:[^a-z]|$)/i;

export const isDatasetFile = (path: string) => ending.test(path) && !settings.test(path);

/** The file type in lower case, ignoring compression: `parquet`. */
export const datasetKind = (path: string) => ending.exec(path)?.[1].toLowerCase();

/** The first split named in a relative path, in lower case. */
export const splitOf = (path: string) => split.exec(path)?.[1].toLowerCase();

/**
 * Splits a pattern such as `data/*.jsonl` into an existing folder and the rest, with forward slashes; null for other
 * paths. Folder names may contain brackets.
 */
export function patternIn(path: string): { root: string; pattern: string } | null {
  let root = dirname(path);
  while (!isFolder(root) && root !== dirname(root)) root = dirname(root);
  const pattern = relative(root, path).replaceAll('\\', '/');
  // A first component without special characters is a missing folder.
  return /[*?{[]/.test(pattern.split('/')[0]) ? { root, pattern } : null;
}
