/**
 * Which files are datasets, and which split a path names: the same for folders on this machine and repositories of the
 * Hub.
 */

const ending = /\.(jsonl|ndjson|json|csv|tsv|parquet|arrow|feather)(\.(gz|zst|zstd))?$/i;
/** Settings and descriptions, which are no rows. */
const settings = /\.(distillery|reward)\.json$|(^|[\\/])(config|state|dataset_dict|dataset_infos?)\.json$/i;
const split = /(?:^|[^a-z])(train|test|validation|valid|val|dev|eval)(?:[^a-z]|$)/i;

export const isDatasetFile = (path: string) => ending.test(path) && !settings.test(path);

/** What the file is, in lower case, packed or not: `parquet`. */
export const datasetKind = (path: string) => ending.exec(path)?.[1].toLowerCase();

/** The split that a relative path names first, in lower case. */
export const splitOf = (path: string) => split.exec(path)?.[1].toLowerCase();
