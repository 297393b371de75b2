/** The weights of reward functions that are logged separately. */
import { mean } from '../statistics';
import type { RolloutColumns } from './columns';
import { loggedOf } from './columns';
import { type LoggedCompletion, problemIdOf } from './logged';
import { loggedRows } from './rows';
import type { RolloutSource } from './sources';
import { type RewardWeights, rewardOf } from './step-writer';

/** Maximum rows that are examined. */
const maxRows = 4096;

/**
 * The given weights, else 1 each, TRL's default. TRL does not log weights, but it logs advantages, which within a group
 * are a linear function of the reward. null: the advantages do not fit weights of 1, so the weights differ, or rewards
 * were normalized separately.
 */
export function weightsOf(
  { format, files: [first] }: RolloutSource,
  given: Record<string, number> | undefined,
  columns?: RolloutColumns,
): RewardWeights {
  if (given || !first || (format !== 'trl' && format !== 'wandb')) return given ?? {};
  const rows: LoggedCompletion[] = [];
  for (const { row, place } of loggedRows(first.file, () => {})) {
    if (rows.push(loggedOf(row, place, columns)) === maxRows) break;
  }
  return fits(rows, {}) ? {} : null;
}

/** Whether rewards by these weights are correlated with the logged advantages in every group that has both. */
export function fits(rows: readonly LoggedCompletion[], weights: RewardWeights): boolean {
  const groups = new Map<string, { rewards: number[]; advantages: number[] }>();
  for (const row of rows) {
    const reward = rewardOf(row, weights);
    if (reward === null || row.advantage === undefined) continue;
    const key = `${row.step} ${problemIdOf(row)}`;
    const group = groups.get(key) ?? { rewards: [], advantages: [] };
    group.rewards.push(reward);
    group.advantages.push(row.advantage);
    groups.set(key, group);
  }
  return [...groups.values()].every(({ rewards, advantages }) => areCorrelated(rewards, advantages));
}

/** Whether the correlation is 1 within float32 precision; two constant lists count as correlated. */
function areCorrelated(a: readonly number[], b: readonly number[]): boolean {
  const [x, y] = [a, b].map((values) => values.map((value) => value - mean(values)));
  const product = (left: readonly number[], right: readonly number[]) =>
    left.reduce((sum, v, i) => sum + v * right[i], 0);
  const [xx, yy] = [product(x, x), product(y, y)];
  const flat = 1e-8;
  if (xx < flat || yy < flat) return xx < flat && yy < flat;
  return product(x, y) / Math.sqrt(xx * yy) > 0.999;
}
