/**
 * Where students of the Hub lie on this machine: in Distillery's own cache, or in that of Hugging Face's libraries, which have one
 * layout (huggingface_hub, "Understand caching"): models--<owner>--<name>/refs/<revision> names a commit, snapshots/<commit> holds its
 * files.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseStudentName, type StudentName } from './name';

type Environment = Record<string, string | undefined>;

/** Distillery's cache of students; DISTILLERY_STUDENTS_CACHE names another folder. */
export function studentsCache(environment: Environment = process.env): string {
  return environment.DISTILLERY_STUDENTS_CACHE || join(homedir(), '.cache', 'distillery', 'students');
}

/** The cache of Hugging Face's libraries, where their variables put it. */
function huggingFaceCache(environment: Environment): string {
  const home = environment.HF_HOME || join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  return environment.HF_HUB_CACHE || environment.HUGGINGFACE_HUB_CACHE || join(home, 'hub');
}

/** The folder of a repository in a cache. */
export function repositoryFolder(cache: string, { repository }: StudentName): string {
  return join(cache, `models--${repository.replace('/', '--')}`);
}

/** The folder with the files of a student that is on this machine, whole; null when it is not. */
export function findStudent(name: StudentName, environment: Environment = process.env): string | null {
  for (const cache of [studentsCache(environment), huggingFaceCache(environment)]) {
    const folder = repositoryFolder(cache, name);
    for (const commit of [name.revision, commitOf(folder, name.revision)]) {
      if (commit === null || !isCommit(commit)) continue;
      const snapshot = join(folder, 'snapshots', commit);
      if (isWhole(snapshot)) return snapshot;
    }
  }
  return null;
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

/**
 * Where the student that an experiment in `folder` names lies: a path relative to it, or the folder of a model of the Hub that is on this
 * machine. What is not there comes back as a path. A folder goes before a model of the same name.
 */
export function locateStudent(text: string, folder: string): string {
  const path = resolve(folder, text);
  if (existsSync(path)) return path;
  const name = parseStudentName(text);
  return (name && findStudent(name)) ?? path;
}

/** The model of the Hub that a text names which is neither a path that is there nor on this machine; else null. */
export function missingStudent(text: string, folder: string): StudentName | null {
  const name = parseStudentName(text);
  return name && !existsSync(resolve(folder, text)) && findStudent(name) === null ? name : null;
}
