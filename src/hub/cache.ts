/**
 * Where students and data sets of the Hub lie on this machine: in Distillery's own caches, students also in that of
 * Hugging Face's libraries, which has one layout (huggingface_hub, "Understand caching"):
 * models--<owner>--<name>/refs/<revision> names a commit, snapshots/<commit> holds its files. Of a data set a snapshot
 * has a folder for each part that was fetched.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { isFolder } from '../paths';
import { type DatasetName, parseDatasetName } from './dataset-name';
import { parseStudentName, type RepositoryName, type StudentName } from './name';

type Environment = Record<string, string | undefined>;
export type Kind = 'model' | 'dataset';

/** Distillery's cache of students; DISTILLERY_STUDENTS_CACHE names another folder. */
export function studentsCache(environment: Environment = process.env): string {
  return environment.DISTILLERY_STUDENTS_CACHE || join(homedir(), '.cache', 'distillery', 'students');
}

/** Distillery's cache of data sets; DISTILLERY_DATASETS_CACHE names another folder. */
export function datasetsCache(environment: Environment = process.env): string {
  return environment.DISTILLERY_DATASETS_CACHE || join(homedir(), '.cache', 'distillery', 'datasets');
}

/** The cache of Hugging Face's libraries, where their variables put it. */
function huggingFaceCache(environment: Environment): string {
  const home = environment.HF_HOME || join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  return environment.HF_HUB_CACHE || environment.HUGGINGFACE_HUB_CACHE || join(home, 'hub');
}

/** The folder of a repository in a cache. */
export function repositoryFolder(cache: string, kind: Kind, { repository }: RepositoryName): string {
  return join(cache, `${kind}s--${repository.replace('/', '--')}`);
}

/** The folder with the files of a student that is on this machine, whole; null when it is not. */
export function findStudent(name: StudentName, environment: Environment = process.env): string | null {
  for (const cache of [studentsCache(environment), huggingFaceCache(environment)])
    for (const snapshot of snapshotsOf(repositoryFolder(cache, 'model', name), name))
      if (isWhole(snapshot)) return snapshot;
  return null;
}

/** The folder with the files of a data set's part that is on this machine; null when it is not. */
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

/** The folder of a part inside a snapshot: one name, whatever slashes it has. */
export const partFolder = (part: string) => (part === '' ? 'default' : encodeURIComponent(part).replaceAll('*', '%2A'));

/** The snapshots that a revision may mean, here or not. */
function snapshotsOf(folder: string, { revision }: RepositoryName): string[] {
  return [revision, commitOf(folder, revision)].filter(isCommit).map((commit) => join(folder, 'snapshots', commit));
}

export const isCommit = (text: unknown): text is string => typeof text === 'string' && /^[0-9a-f]{40}$/.test(text);

function commitOf(folder: string, revision: string): string | null {
  const file = join(folder, 'refs', revision);
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? readFileSync(file, 'utf8').slice(0, 64).trim() : null;
}

/** Hugging Face's libraries fetch file by file, so that a folder may lack some. */
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

/** What a text names by `parse` where no path of that name is there: a folder goes before a name of the Hub. */
function named<N>(text: string, folder: string, parse: (text: string) => N | null): N | null {
  const name = parse(text);
  return name && !existsSync(resolve(folder, text)) ? name : null;
}

/**
 * Where the student that an experiment in `folder` names lies: a path relative to it, or the folder of a model of the
 * Hub that is on this machine. What is not there comes back as a path.
 */
export function locateStudent(text: string, folder: string): string {
  const name = named(text, folder, parseStudentName);
  return (name && findStudent(name)) ?? resolve(folder, text);
}

/** The model of the Hub that a text names which is neither a path that is there nor on this machine; else null. */
export function missingStudent(text: string, folder: string): StudentName | null {
  const name = named(text, folder, parseStudentName);
  return name && findStudent(name) === null ? name : null;
}

/** The data set of the Hub that a text names, where no path of that name is there; else null. */
export const namedDataset = (text: string, folder: string): DatasetName | null => named(text, folder, parseDatasetName);

/** As `locateStudent`, of a dataset: a file, a folder, a pattern, or a data set of the Hub. */
export function locateDataset(text: string, folder: string): string {
  const name = namedDataset(text, folder);
  return (name && findDataset(name)) ?? resolve(folder, text);
}

/** As `missingStudent`, of a data set of the Hub. */
export function missingDataset(text: string, folder: string): DatasetName | null {
  const name = namedDataset(text, folder);
  return name && findDataset(name) === null ? name : null;
}
