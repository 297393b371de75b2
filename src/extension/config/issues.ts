/** Finds everything wrong with a config in the editor: its text, and the files that it names. */
import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { checkExperiment, checkReward } from '../../config/check';
import type { ParsedExperiment } from '../../config/experiment';
import type { Finding, Issue, Path } from '../../config/issue';
import { fileFindings } from '../../config/load';
import { isPreset } from '../../config/presets';
import { type ConfigKind, pathFrom } from './kinds';

/** The text of another file, from the editor or from disk; undefined if there is none. */
export type ReadText = (file: string) => string | undefined;

export function configIssues(kind: ConfigKind, text: string, file: string, read: ReadText): Issue[] {
  if (kind === 'reward') return checkReward(text).issues;
  const { issues, value, place } = checkExperiment(text);
  if (!value) return issues;
  const folder = dirname(file);
  const found = [...fileFindings(value, folder), ...rewardFileFindings(value, folder, read)].map(place);
  return [...issues, ...found].sort((a, b) => a.offset - b.offset);
}

/** Issues beyond the schema, which VS Code's JSON service checks. */
export const beyondSchema = (issues: readonly Issue[]) => issues.filter(({ inSchema }) => !inSchema);

/** A run refuses a reward file with errors, so the error is shown where the file is named. */
function rewardFileFindings({ stages }: ParsedExperiment, folder: string, read: ReadText): Finding[] {
  return (['complete', 'rewrite'] as const).flatMap((name) => {
    const stage = stages[name];
    if (!stage || typeof stage.reward !== 'string' || isPreset(stage.reward)) return [];
    const text = read(pathFrom(folder, stage.reward));
    const errors = text === undefined ? [] : checkReward(text).issues.filter(({ severity }) => severity === 'error');
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
  return existsSync(full) ? null : full;
}
