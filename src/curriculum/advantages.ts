import type { GrpoSettings } from '../config/experiment';
import { deviation, mean } from '../statistics';

/**
 * How advantages are scaled: by the standard deviation (n-1) of the group, of the whole batch, or not at all (Dr.
 * GRPO).
 */
export type AdvantageScale = GrpoSettings['scale'];

/** TRL's: keeps a group of nearly equal rewards from blowing up. */
const eps = 1e-4;

/**
 * Group-relative advantages (DeepSeekMath, arXiv 2402.03300): (reward - group mean) / (std + 1e-4), for each group and
 * completion. With `batch` rewards are centred by their group all the same (Lite PPO, arXiv 2508.08221, as TRL has it).
 * NaN = not applicable: left out of mean and deviation, its advantage is 0. A group whose rewards are all equal gets
 * exact zeros, whatever rounding says. In float32, as engines take them.
 */
export function groupAdvantages(rewards: readonly (readonly number[])[], scale: AdvantageScale): Float32Array[] {
  const groups = rewards.map((group) => group.map(Math.fround));
  const batchDeviation = scale === 'batch' ? deviation(groups.flatMap(applicable)) : 0;
  return groups.map((group) => {
    const values = applicable(group);
    const advantages = new Float32Array(group.length);
    // A mean would leave rounding, and rounding / eps.
    if (values.every((value) => value === values[0])) return advantages;
    const centre = mean(values);
    const divisor = { none: 1, batch: batchDeviation + eps, group: deviation(values) + eps }[scale];
    for (const [i, reward] of group.entries()) if (!Number.isNaN(reward)) advantages[i] = (reward - centre) / divisor;
    return advantages;
  });
}

const applicable = (rewards: readonly number[]) => rewards.filter((reward) => !Number.isNaN(reward));
