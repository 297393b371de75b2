/** Resolves the name of a Hub dataset to files: those of a subset, of a split, or by path. */
import picomatch from 'picomatch';
import { UserError } from '../errors';
import { partFolder } from './cache';
import { type Subset, subsetsOf } from './dataset-card';
import { datasetKind, isDatasetFile, splitOf } from './dataset-files';
import { type DatasetName, datasetNameText, isRelative } from './dataset-name';
import { type DownloadPlan, lookUpRepository, planned, type RepositoryListing } from './plan';
import type { Hub } from './request';

/** A file of the repository, and its target path. */
interface ChosenFile {
  path: string;
  name: string;
}

/**
 * Asks the Hub about a dataset. @throws UserError when it does not exist or access is denied, or when the name is
 * ambiguous
 */
export async function planDataset(hub: Hub, name: DatasetName): Promise<DownloadPlan> {
  const what = datasetNameText(name);
  const listing = await lookUpRepository(hub, 'dataset', name, datasetNameText({ ...name, part: '' }));
  const files = choose(name, listing).map(({ path, name: to }) => planned(listing.files.get(path)!, to, what));
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { kind: 'dataset', name, what, commit: listing.commit, folder: partFolder(name.part), files, bytes };
}

function choose(name: DatasetName, { files, card }: RepositoryListing): ChosenFile[] {
  const paths = [...files.keys()].filter((path) => isDatasetFile(path) && isRelative(path));
  if (paths.length === 0)
    throw fault(name, 'has no files in a supported format', [
      'Supported are JSON lines, JSON, CSV, Parquet and Arrow.',
      `The Hub converts most others to Parquet: ${datasetNameText({ ...name, revision: 'refs/convert/parquet' })}`,
    ]);
  const subsets = subsetsOf(card, paths);
  const { part } = name;
  if (subsets.length === 0) return byPath(name, part === '' ? mostUsual(paths) : paths);
  const first = defaultOf(subsets);
  const named = subsets.find((one) => part === one.name || part.startsWith(`${one.name}/`));
  if (named) return ofSubset(name, named, part.slice(named.name.length + 1), paths);
  if (part !== '' && first?.splits.has(part)) return ofSubset(name, first, part, paths);
  if (part !== '') return byPath(name, paths, subsets);
  if (first) return ofSubset(name, first, '', paths);
  const names = subsets.map((one) => one.name);
  throw fault(name, `has ${subsets.length} subsets`, [`Choose one of them: ${listed(name, names)}`]);
}

const defaultOf = (subsets: readonly Subset[]) =>
  subsets.find((one) => one.isDefault) ??
  subsets.find((one) => one.name === 'default') ??
  (subsets.length === 1 ? subsets[0] : undefined);

function ofSubset(name: DatasetName, subset: Subset, split: string, paths: readonly string[]): ChosenFile[] {
  const { splits } = subset;
  const matching = (patterns: readonly string[]) => {
    const found = paths.filter(matcher(patterns));
    if (found.length > 0) return found;
    throw fault(name, `has no file ${patterns.join(', ')}`, [
      "Its readme names the file, so the dataset's authors have to fix it.",
    ]);
  };
  if (split !== '') {
    const patterns = splits.get(split);
    if (patterns) return matching(patterns).map((path) => ({ path, name: path }));
    throw fault(name, `has no split "${split}"`, [`Its splits: ${[...splits.keys()].join(', ')}.`]);
  }
  // Those that the reader of a folder cannot find by itself.
  const strange = [...splits.keys()].some((one) => splitOf(one) !== one);
  if (splits.size > 1 && strange) {
    const places = [...splits.keys()].map((one) => (subset.isDefault ? one : `${subset.name}/${one}`));
    throw fault(name, `has ${splits.size} splits`, [`Choose one of them: ${listed(name, places)}`]);
  }
  return [...splits].flatMap(([one, patterns]) =>
    matching(patterns).map((path) => ({ path, name: splits.size > 1 ? `${one}/${path}` : path })),
  );
}

/** Splits get folders of their own if the paths (after a common prefix) contain more than one. */
function bySplit(paths: readonly string[], behind: number): ChosenFile[] {
  const splits = paths.map((path) => splitOf(path.slice(behind)) ?? 'train');
  const several = new Set(splits).size > 1;
  return paths.map((path, i) => ({ path, name: several ? `${splits[i]}/${path}` : path }));
}

/** A repository may contain its rows twice, as Parquet and JSON: files of one type are used. */
function mostUsual(paths: readonly string[]): string[] {
  const kinds = paths.map((path) => datasetKind(path)!);
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const [usual] = [...counts.keys()].sort(
    (a, b) => counts.get(b)! - counts.get(a)! || Number(b === 'parquet') - Number(a === 'parquet'),
  );
  return paths.filter((_, i) => kinds[i] === usual);
}

/** Files by path, folder or pattern, or by the split in their paths. */
function byPath(name: DatasetName, paths: readonly string[], subsets: readonly Subset[] = []): ChosenFile[] {
  const { part } = name;
  const inside = paths.filter((path) => part === '' || path === part || path.startsWith(`${part}/`));
  const ways = [inside, paths.filter(matcher([part])), mostUsual(paths.filter((path) => splitOf(path) === part))];
  const found = ways.find((way) => way.length > 0);
  if (found) return bySplit(found, inside.length > 0 ? part.length : 0);
  const there = subsets.length > 0 ? subsets.map((one) => one.name) : paths;
  throw fault(name, 'does not exist', [`Available: ${listed(name, there)}`]);
}

/** The Hub's rules: * does not match slashes, ** does. Matching takes linear time, as patterns come from a readme. */
function matcher(patterns: readonly string[]): (path: string) => boolean {
  const short = patterns.filter((one) => one !== '' && one.length < 500 && one.split('*').length <= 7);
  const matches = short.length > 0 ? picomatch(short, { noextglob: true }) : () => false;
  return (path) => matches(path);
}

const maxListedFiles = 8;
/** Parts of the repository as names of their own. */
const listed = (name: DatasetName, parts: readonly string[]) =>
  parts
    .slice(0, maxListedFiles)
    .map((part) => datasetNameText({ ...name, part }))
    .concat(parts.length > maxListedFiles ? [`… ${parts.length - maxListedFiles} more`] : [])
    .join(', ');

const fault = (name: DatasetName, message: string, remedy: string[]) =>
  new UserError(`${datasetNameText(name)} ${message}`, { code: 'dataset', remedy: remedy.join(' ') });
