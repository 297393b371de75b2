/** Resolves paths and names: the experiment at a path, the folders of runs, the run of a name. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import picomatch from 'picomatch';
import { UserError } from '../../errors';
import { statOf } from '../../paths';
import { runsFolderName } from '../../runs/layout';
import { findRun, listRuns, openRun, type Run, type RunListing } from '../../runs/reading';

export { type ShownState, stateOf } from '../../runs/reading';

/** The experiment file at a path: the file itself, or the only one in the folder. */
export function experimentFile(path: string): string {
  const full = resolve(path);
  const stat = statOf(full);
  if (!stat)
    throw new UserError('there is no such file or folder', {
      file: path,
      code: 'missing',
      remedy: `Create an experiment with \`${commandLine('new <folder>')}\`.`,
    });
  if (!stat.isDirectory()) return full;
  const found = readdirSync(full).filter((name) => name.endsWith('.distillery.json'));
  if (found.length === 1) return join(full, found[0]);
  throw new UserError(
    found.length === 0 ? 'there is no *.distillery.json in this folder' : 'there is more than one experiment here',
    {
      file: path,
      code: 'missing',
      remedy:
        found.length === 0
          ? `Create an experiment with \`${commandLine('new <folder>')}\`.`
          : `Name one: ${found.join(', ')}.`,
    },
  );
}

/** How far below the current folder runs are searched: levels, and folders in all. */
const searchLimits = { levels: 4, folders: 2000 };

/** The folders of runs: those given, else every `.distillery/runs` here and below, else the nearest one above. */
export function runsFolders(given?: string): string[] {
  if (given !== undefined) {
    if (!existsSync(given))
      throw new UserError('no such folder', {
        file: given,
        code: 'missing',
        remedy: 'Check the path given as --runs.',
      });
    return [resolve(given)];
  }
  const here = below(process.cwd());
  if (here.length > 0) return here;
  for (let folder = dirname(process.cwd()); ; folder = dirname(folder)) {
    if (existsSync(join(folder, runsFolderName))) return [join(folder, runsFolderName)];
    if (folder === dirname(folder)) return [];
  }
}

function below(root: string): string[] {
  const found: string[] = [];
  let seen = 0;
  let level = [root];
  for (let depth = 0; depth <= searchLimits.levels; depth++) {
    const next: string[] = [];
    for (const folder of level) {
      if (++seen > searchLimits.folders) return found;
      if (existsSync(join(folder, runsFolderName))) found.push(join(folder, runsFolderName));
      next.push(...subfolders(folder));
    }
    level = next;
  }
  return found;
}

function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
      .map(({ name }) => join(folder, name));
  } catch {
    return []; // a folder that cannot be read is skipped
  }
}

/** All runs of these folders, newest first. */
export function allRuns(folders: readonly string[]): RunListing[] {
  return folders.flatMap(listRuns).sort((a, b) => Number(a.id < b.id) - Number(a.id > b.id));
}

/** The run that a user names: a path, an id, a unique part of an id, or `latest`. */
export function locateRun(name: string, given?: string): Run {
  const start = `Start one with \`${commandLine('run <experiment>')}\`, or give their folder with --runs <folder>.`;
  return findRun(name, () => allRuns(runsFolders(given)), start);
}

/** The runs of several names, each once. A name may be a pattern of ids (`*-arithmetic`): the oldest run first. */
export function locateRuns(names: readonly string[], given?: string): Run[] {
  const found = names.flatMap((name): Run[] => {
    if (!/[*?[{]/.test(name) || existsSync(name)) return [locateRun(name, given)];
    const matches = picomatch(name);
    const runs = allRuns(runsFolders(given)).filter(({ id }) => matches(id));
    if (runs.length > 0) return runs.toReversed().map(({ folder }) => openRun(folder));
    throw new UserError(`no run matches the pattern "${name}"`, {
      code: 'run',
      remedy: 'A pattern matches whole ids, such as "*-arithmetic"; `distillery runs` lists them.',
    });
  });
  return [...new Map(found.map((run) => [run.folder, run])).values()];
}

/** The shortest form of a path, relative to here where possible. */
export function shortPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near && !near.startsWith('..') ? near : path;
}

/** The command to call this program, in commands to copy: by npm in its repository, else by its name. */
export function commandLine(args: string): string {
  const byNpm = ['start', 'distillery'].includes(process.env.npm_lifecycle_event ?? '');
  return `${byNpm ? 'npm run distillery --' : 'distillery'} ${args}`;
}

/** A path quoted as one word of a command line. */
export function quoted(path: string): string {
  return /^[\w./\\:@%+=-]+$/.test(path) ? path : `"${path}"`;
}
