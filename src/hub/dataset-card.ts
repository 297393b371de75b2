/**
 * The subsets and splits of a data set, as its readme declares them ("configs", in the Hub's documentation "Data files
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
 * The subsets of a data set whose files have these paths; none where the readme declares none and the files do not lie
 * as in the Hub's own Parquet files. A readme is what others wrote: what is not as documented is passed over.
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
  const add = (split: string, patterns: readonly string[]) => {
    if (patterns.length > 0) splits.set(split, [...(splits.get(split) ?? []), ...patterns]);
  };
  if (files === undefined && base !== '')
    for (const path of paths) if (path.startsWith(base)) add(splitOf(path.slice(base.length)) ?? 'train', [path]);
  for (const file of [files ?? []].flat()) {
    const { split = 'train', path = file } = record(file);
    if (typeof split === 'string')
      add(
        split,
        texts(path).map((one) => base + one.replace(/^\.?\/+/, '')),
      );
  }
  return splits.size === 0 ? undefined : { name, isDefault: isDefault === true, splits };
}

/** `<subset>/<split>/0000.parquet`, as in the branch refs/convert/parquet. */
function converted(paths: readonly string[]): Subset[] {
  const parts = paths.map((path) => /^([^/]+)\/(?:partial-)?([^/]+)\/\d+\.parquet$/.exec(path));
  if (!parts.every((found) => found !== null)) return [];
  const names = [...new Set(parts.map(([, name]) => name))];
  return names.map((name) => {
    const splits = new Map<string, string[]>();
    for (const [path, of, split] of parts) if (of === name) splits.set(split, [...(splits.get(split) ?? []), path]);
    return { name, isDefault: false, splits };
  });
}

const record = (value: unknown) =>
  (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
const texts = (value: unknown) => [value].flat().filter((one) => typeof one === 'string');
