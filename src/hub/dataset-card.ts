/**
 * The subsets and splits of a dataset, from its readme ("configs", in the Hub's documentation "Data files
 * Configuration").
 */
import { splitOf } from './dataset-files';

export interface Subset {
  name: string;
  isDefault: boolean;
  /** Patterns of files by split. */
  splits: Map<string, string[]>;
}

/**
 * The subsets of a dataset with these file paths; none if the readme declares none and the files are not the Hub's own
 * Parquet files. Parts of a readme that do not follow the documentation are ignored.
 */
export function subsetsOf(card: unknown, paths: readonly string[]): Subset[] {
  const { configs } = record(card);
  const declared = Array.isArray(configs) ? configs.flatMap((config) => subsetOf(record(config), paths) ?? []) : [];
  return declared.length > 0 ? declared : converted(paths);
}

function subsetOf(config: Record<string, unknown>, paths: readonly string[]): Subset | undefined {
  const { config_name: name, data_files: files, data_dir: folder, default: isDefault } = config;
  if (typeof name !== 'string' || name === '') return undefined;
  const base = typeof folder === 'string' ? `${folder.replace(/^\.?\/+|\/+$/g, '')}/` : '';
  const splits = new Map<string, string[]>();
  if (files === undefined && base !== '')
    for (const path of paths) if (path.startsWith(base)) add(splits, splitOf(path.slice(base.length)) ?? 'train', path);
  for (const file of [files ?? []].flat()) {
    const { split = 'train', path = file } = record(file);
    if (typeof split === 'string') for (const one of texts(path)) add(splits, split, base + one.replace(/^\.?\/+/, ''));
  }
  return splits.size === 0 ? undefined : { name, isDefault: isDefault === true, splits };
}

/** `<subset>/<split>/0000.parquet`, as in the branch refs/convert/parquet. */
function converted(paths: readonly string[]): Subset[] {
  const parts = paths.map((path) => /^([^/]+)\/(?:partial-)?([^/]+)\/\d+\.parquet$/.exec(path));
  if (!parts.every((found) => found !== null)) return [];
  const subsets = new Map<string, Subset['splits']>();
  for (const [path, name, split] of parts) {
    const splits = subsets.get(name) ?? new Map<string, string[]>();
    subsets.set(name, splits);
    add(splits, split, path);
  }
  return [...subsets].map(([name, splits]) => ({ name, isDefault: false, splits }));
}

function add(splits: Subset['splits'], split: string, pattern: string): void {
  const before = splits.get(split);
  if (before) before.push(pattern);
  else splits.set(split, [pattern]);
}

const record = (value: unknown) =>
  (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
const texts = (value: unknown) => [value].flat().filter((one) => typeof one === 'string');
