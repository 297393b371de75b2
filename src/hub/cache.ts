/**
 * Locations of Hub students and datasets on this machine: Distillery's own caches, and for students also the cache of
 * Hugging Face's libraries. All use one layout (huggingface_hub, "Understand caching"):
 * models--<owner>--<name>/refs/<revision> names a commit, snapshots/<commit> has its files. For a dataset, a snapshot
 * has a folder for each downloaded part.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { isFolder, statOf } from '../paths';
import { type DatasetName, parseDatasetName } from './dataset-name';
import { parseStudentName, type RepositoryName, type StudentName } from './name';

type Environment = Record<string, string | undefined>;
export type RepositoryKind = 'model' | 'dataset';

/** Distillery's cache of students; DISTILLERY_STUDENTS_CACHE names another folder. */
export function studentsCache(environment: Environment = process.env): string {
  return environment.DISTILLERY_STUDENTS_CACHE || join(homedir(), '.cache', 'distillery', 'students');
}

/** Distillery's cache of datasets; DISTILLERY_DATASETS_CACHE names another folder. */
export function datasetsCache(environment: Environment = process.env): string {
  return environment.DISTILLERY_DATASETS_CACHE || join(homedir(), '.cache', 'distillery', 'datasets');
}

/** The cache of Hugging Face's libraries, following their environment variables. */
function huggingFaceCache(environment: Environment): string {
  const home = environment.HF_HOME || join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  return environment.HF_HUB_CACHE || environment.HUGGINGFACE_HUB_CACHE || join(home, 'hub');
}

export function repositoryFolder(cache: string, kind: RepositoryKind, { repository }: RepositoryName): string {
  return join(cache, `${kind}s--${repository.replace('/', '--')}`);
}

/** The folder of a completely downloaded student; null if there is none. */
export function findStudent(name: StudentName, environment: Environment = process.env): string | null {
  for (const cache of [studentsCache(environment), huggingFaceCache(environment)])
    for (const snapshot of snapshotsOf(repositoryFolder(cache, 'model', name), name))
      if (isWhole(snapshot)) return snapshot;
  return null;
}

/** The folder of a downloaded part of a dataset; null if there is none. */
export function findDataset(name: DatasetName, environment: Environment = process.env): string | null {
  const segments = name.part.split('/');
  const [last] = segments.slice(-1);
  for (const snapshot of snapshotsOf(repositoryFolder(datasetsCache(environment), 'dataset', name), name)) {
    const places = [partFolder(name.part), join(partFolder(segments.slice(0, -1).join('/')), last)];
    const found = places.map((place) => join(snapshot, place)).find(isFolder);
    if (found !== undefined) return found;
  }
  return null;
}

/** The folder of a part inside a snapshot: one path component, even if its name has slashes. */
export const partFolder = (part: string) => (part === '' ? 'default' : encodeURIComponent(part).replaceAll('*', '%2A'));

/** The possible snapshots of a revision, existing or not. */
function snapshotsOf(folder: string, { revision }: RepositoryName): string[] {
  return [revision, commitOf(folder, revision)].filter(isCommit).map((commit) => join(folder, 'snapshots', commit));
}

export const isCommit = (text: unknown): text is string => typeof text === 'string' && /^[0-9a-f]{40}$/.test(text);

function commitOf(folder: string, revision: string): string | null {
  const file = join(folder, 'refs', revision);
  return statOf(file)?.isFile() ? readFileSync(file, 'utf8').slice(0, 64).trim() : null;
}

/** Hugging Face's libraries download single files, so a folder may be incomplete. */
function isWhole(folder: string): boolean {
  const has = (name: string) => existsSync(join(folder, name));
  if (!has('config.json') || !has('tokenizer.json')) return false;
  if (has('model.safetensors')) return true;
  try {
    const { weight_map: map } = JSON.parse(readFileSync(join(folder, 'model.safetensors.index.json'), 'utf8'));
    return Object.values(map as Record<string, string>).every((shard) => has(shard));
  } catch {
    return false;
  }
}

/** Parses a text with `parse` unless it is an existing path: a folder takes precedence over a name of the Hub. */
function named<N>(text: string, folder: string, parse: (text: string) => N | null): N | null {
  const name = parse(text);
  return name && !existsSync(resolve(folder, text)) ? name : null;
}

/**
 * The folder of the student named in an experiment in `folder`: a relative path, or a downloaded model of the Hub. If
 * it is missing, the path is returned.
 */
export function locateStudent(text: string, folder: string): string {
  const name = named(text, folder, parseStudentName);
  return (name && findStudent(name)) ?? resolve(folder, text);
}

/** The Hub model named by a text that is neither an existing path nor downloaded; else null. */
export function missingStudent(text: string, folder: string): StudentName | null {
  const name = named(text, folder, parseStudentName);
  return name && findStudent(name) === null ? name : null;
}

/** The Hub dataset named by a text that is not an existing path; else null. */
export const namedDataset = (text: string, folder: string): DatasetName | null => named(text, folder, parseDatasetName);

/** Like `locateStudent`, for a dataset: a file, a folder, a pattern, or a dataset of the Hub. */
export function locateDataset(text: string, folder: string): string {
  const name = namedDataset(text, folder);
  return (name && findDataset(name)) ?? resolve(folder, text);
}

/** Like `missingStudent`, for a dataset of the Hub. */
export function missingDataset(text: string, folder: string): DatasetName | null {
  const name = namedDataset(text, folder);
  return name && findDataset(name) === null ? name : null;
}
