/** Finds everything wrong with a config in the editor: its text, and the files that it names. */
import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { checkExperiment, checkReward } from '../../config/check';
import type { ParsedExperiment } from '../../config/experiment';
import type { Finding, Issue, Path } from '../../config/issue';
import { fileFindings } from '../../config/load';
import { isPreset } from '../../config/presets';
import { mayRead } from '../workspace/named-files';
import { type ConfigKind, pathFrom } from './kinds';
import { findModules } from './modules';

/** The text of another file, from the editor or from disk; undefined if there is none. */
export type ReadText = (file: string) => string | undefined;

export function configIssues(kind: ConfigKind, text: string, file: string, read: ReadText): Issue[] {
  const folder = dirname(file);
  if (kind === 'reward') return checkReward(text, findModules(folder)).issues;
  const { issues, readable, place } = checkExperiment(text, { find: findModules(folder, folder) });
  if (!readable) return issues;
  const unread = unreadFindings(readable, folder);
  const looked = () => [...fileFindings(readable, folder), ...rewardFileFindings(readable, folder, read)];
  const found = (unread.length > 0 ? unread : looked()).map(place);
  return [...issues, ...found].sort((a, b) => a.offset - b.offset);
}

/** Issues beyond the schema, which VS Code's JSON service checks. */
export const beyondSchema = (issues: readonly Issue[]) => issues.filter(({ inSchema }) => !inSchema);

/** What Restricted Mode does not look at. */
function unreadFindings(experiment: ParsedExperiment, folder: string): Finding[] {
  const message = 'This is outside of the workspace and is not read in Restricted Mode.';
  return namedFiles(experiment)
    .filter(([, file]) => !mayRead(pathFrom(folder, file)))
    .map(([path]) => ({ severity: 'warning', path, message }));
}

/** The files and folders that an experiment names, as it names them, with their places in it. */
export function namedFiles({ student, data, stages }: ParsedExperiment): [place: Path, file: string][] {
  const files: [Path, string | undefined][] = [[['student', 'path'], student.path]];
  for (const name of ['train', 'test'] as const) {
    const source = data[name];
    files.push([['data', name, 'path'], 'path' in source ? source.path : undefined]);
  }
  for (const name of ['complete', 'rewrite'] as const) {
    const reward = stages[name] ? stages[name].reward : undefined;
    files.push([['stages', name, 'reward'], typeof reward === 'string' && !isPreset(reward) ? reward : undefined]);
  }
  return files.filter((one): one is [Path, string] => one[1] !== undefined);
}

/** A run refuses a reward file with errors, so the error is shown where the file is named. */
function rewardFileFindings({ stages }: ParsedExperiment, folder: string, read: ReadText): Finding[] {
  return (['complete', 'rewrite'] as const).flatMap((name) => {
    const stage = stages[name];
    if (!stage || typeof stage.reward !== 'string' || isPreset(stage.reward)) return [];
    const file = pathFrom(folder, stage.reward);
    const text = read(file);
    const { issues } = text === undefined ? { issues: [] } : checkReward(text, findModules(dirname(file), folder));
    const errors = issues.filter(({ severity }) => severity === 'error');
    if (errors.length === 0) return [];
    const [{ line, message }] = errors;
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    const path: Path = ['stages', name, 'reward'];
    return [{ severity: 'error', path, message: `${basename(stage.reward)}, line ${line}: ${message}${more}` }];
  });
}

/** The missing reward file of an issue as an absolute path; null for other issues. */
export function missingReward({ path }: Issue, value: unknown, file: string): string | null {
  if (path.at(-1) !== 'reward' || typeof value !== 'string' || isPreset(value)) return null;
  if (!value.endsWith('.json')) return null;
  const full = pathFrom(dirname(file), value);
  return !mayRead(full) || existsSync(full) ? null : full;
}
