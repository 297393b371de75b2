import type { GrpoSettings } from '../../config/experiment';
import { deviation, mean } from '../../statistics';

/**
 * The divisor of advantages: the standard deviation (n-1) of the group, of the whole batch, or none (Dr.
 * GRPO).
 */
export type AdvantageScale = GrpoSettings['scale'];

/** TRL's value. It keeps advantages of nearly equal rewards small. */
const eps = 1e-4;

/**
 * Group-relative advantages (DeepSeekMath, arXiv 2402.03300): (reward - group mean) / (std + 1e-4) for each group and
 * completion. With `batch`, rewards are still centred by group (Lite PPO, arXiv 2508.08221, as in TRL).
 * A NaN reward does not apply: it is excluded from mean and deviation, and its advantage is 0. A group with equal
 * rewards gets exact zeros, independent of rounding. In float32, as engines take them.
 */
export function groupAdvantages(rewards: readonly (readonly number[])[], scale: AdvantageScale): Float32Array[] {
  const groups = rewards.map((group) => group.map(Math.fround));
  const batchDeviation = scale === 'batch' ? deviation(groups.flatMap(applicable)) : 0;
  return groups.map((group) => {
    const values = applicable(group);
    const advantages = new Float32Array(group.length);
    // Subtracting the mean would leave a rounding error divided by eps.
    if (values.every((value) => value === values[0])) return advantages;
    const centre = mean(values);
    const divisor = { none: 1, batch: batchDeviation + eps, group: deviation(values) + eps }[scale];
    for (const [i, reward] of group.entries()) if (!Number.isNaN(reward)) advantages[i] = (reward - centre) / divisor;
    return advantages;
  });
}

const applicable = (rewards: readonly number[]) => rewards.filter((reward) => !Number.isNaN(reward));
