/** Archived runs: moved from `.distillery/runs` to `.distillery/archive`, where no view looks, and back. */
import fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { guardDisk } from '../disk';
import { UserError } from '../errors';
import { makeFolder, move } from '../writing';
import { runFile } from './layout';

const archiveOf = (runsFolder: string) => resolve(runsFolder, '..', 'archive');

/** Archived runs of a folder of runs, newest first. */
export function archivedRuns(runsFolder: string): string[] {
  const folder = archiveOf(runsFolder);
  if (!fs.existsSync(folder)) return [];
  const names = fs.readdirSync(folder).filter((name) => !name.startsWith('.')); // this one is still being moved
  const paths = names.map((name) => join(folder, name));
  return paths
    .filter((path) => fs.existsSync(runFile(path)))
    .sort()
    .reverse();
}

/** Moves a run to the archive. Returns its new path. */
export function archiveRun(run: string): string {
  const runsFolder = dirname(run);
  const folder = archiveOf(runsFolder);
  let place = join(folder, basename(run));
  for (let i = 2; fs.existsSync(place); i++) place = join(folder, `${basename(run)}-${i}`);
  guardDisk(run, 'the run stays where it is', () => {
    makeFolder(dirname(folder), folder);
    move(runsFolder, run, place, dirname(folder));
  });
  return place;
}

/** Moves an archived run back. */
export function restoreRun(archived: string, run: string): void {
  if (fs.existsSync(run))
    throw new UserError('there is a run of this name', { file: run, code: 'exists', remedy: 'Archive it first.' });
  const distillery = resolve(archived, '..', '..');
  guardDisk(run, 'the run stays in the archive', () => move(distillery, archived, run, dirname(run)));
}
