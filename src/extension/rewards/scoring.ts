/** Scores recorded completions with a reward in development. */
import { basename } from 'node:path';
import type { RewardConfig } from '../../config/reward';
import { CodeRewards, modulesOf } from '../../rewards/code/code-rewards';
import { type RecordedCompletion, type Rescored, scoreRollouts } from '../../rewards/dry-run';
import { notInRestrictedMode } from '../config/modules';
import { trusted } from '../workspace/named-files';

/** Modules of the reward run in a trusted workspace alone. What goes wrong in them is added to `warnings`. */
export async function scoreInEditor<T extends RecordedCompletion>(
  config: RewardConfig,
  completions: readonly T[],
  { warnings, signal }: { warnings: string[]; signal: AbortSignal },
): Promise<Rescored<T>[]> {
  const modules = modulesOf([config]);
  if (modules.length === 0) return scoreRollouts(config, completions);
  if (!trusted()) {
    warnings.push(...modules.map((path) => `${basename(path)}: ${notInRestrictedMode}`));
    return scoreRollouts(config, completions);
  }
  const code = new CodeRewards({ warn: (text) => warnings.push(text), signal });
  try {
    return await scoreRollouts(config, completions, code);
  } catch (error) {
    if (!signal.aborted) throw error;
    return scoreRollouts(config, completions); // replaced by a later scoring
  } finally {
    await code.close();
  }
}
