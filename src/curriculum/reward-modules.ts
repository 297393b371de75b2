/** The modules of a run's rewards in code: copied and recorded when it begins, compared when it is resumed. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { Experiment } from '../config/experiment';
import { UserError } from '../errors';
import { readSmallText } from '../lines';
import { modulesOf } from '../rewards/code/code-rewards';
import { rewardModuleFile } from '../runs/layout';
import type { RunWriter } from '../runs/writer';
import type { Note } from './context';

interface RewardModule {
  path: string;
  sha256: string;
  /** File name of the copy in the run. */
  copy: string;
  text: string;
}

/** The part that config.json records. */
export type RecordedModule = Pick<RewardModule, 'path' | 'sha256' | 'copy'>;

function modulePaths({ stages: { complete, rewrite } }: Experiment): string[] {
  return modulesOf([complete, rewrite].flatMap((stage) => (stage ? [stage.reward] : [])));
}

/** @throws UserError when one is gone; `run` is the run that is resumed, which has a copy */
export function readModules(experiment: Experiment, run?: string): RewardModule[] {
  return modulePaths(experiment).map((path, i) => {
    const copy = `${i + 1}-${basename(path)}`;
    try {
      const text = readSmallText(path);
      return { path, copy, text, sha256: createHash('sha256').update(text).digest('hex') };
    } catch (cause) {
      throw new UserError('the module of the reward cannot be read', {
        file: path,
        code: 'missing',
        remedy: run ? `Restore it: ${rewardModuleFile(run, copy)} is a copy.` : 'Check its path in the reward.',
        cause,
      });
    }
  });
}

export const recordOf = (modules: readonly RewardModule[]): { rewardModules?: RecordedModule[] } =>
  modules.length > 0 ? { rewardModules: modules.map(({ path, sha256, copy }) => ({ path, sha256, copy })) } : {};

export function copyModules(run: RunWriter, modules: readonly RewardModule[]): void {
  for (const { copy, text } of modules) run.rewardModule(copy, text);
}

/** Warnings about modules that have changed since the run began. */
export function changedModules(
  run: string,
  modules: readonly RewardModule[],
  before: readonly RecordedModule[] = [],
): string[] {
  return modules.flatMap(({ path, sha256, copy }) => {
    const known = before.find((one) => one.path === path);
    if (!known || known.sha256 === sha256) return [];
    const first = rewardModuleFile(run, copy);
    const effect = 'later completions get the rewards of the new one';
    return [`${path} has changed since the run began: ${effect} (${first} is the first)`];
  });
}

export const runsCode = (experiment: Experiment): Note[] =>
  modulePaths(experiment).map((path) => ({ level: 'info', text: `runs code: ${path}` }));
