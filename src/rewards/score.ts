/** Scores groups of completions. The only place where scoring waits: for rewards in code. */
import { isCode } from '../config/components';
import type { RewardConfig } from '../config/reward';
import type { CodeRewards } from './code/code-rewards';
import { type RewardInput, type RewardScore, scoreGroup } from './compose';

/**
 * Scores the completions of several prompts, each in the context of its group: `[group][completion]`. Components in
 * code are asked first, for all groups at once; without `code` they do not apply.
 */
export async function scoreGroups(
  config: RewardConfig,
  groups: readonly (readonly RewardInput[])[],
  code?: CodeRewards,
): Promise<RewardScore[][]> {
  const components = config.components.filter(isCode);
  if (components.length === 0 || !code) return groups.map((group) => scoreGroup(config, group));
  const values = await code.values(components, groups);
  return groups.map((group, g) =>
    scoreGroup(
      config,
      group.map((input, i) => ({ ...input, code: values[g][i] })),
    ),
  );
}
