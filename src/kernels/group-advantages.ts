import type { AdvantageScale } from './interface';

/** TRL's: keeps a group of nearly equal rewards from blowing up. */
const eps = 1e-4;

/**
 * The arithmetic of groupAdvantages (interface.ts), which is the same on every backend. rewards [prompts, group] -> [prompts, group].
 * With `batch` rewards are centred by their group all the same, and divided by the standard deviation of all rewards (Lite PPO,
 * arXiv 2508.08221, as TRL has it).
 */
export function groupAdvantagesValues(
  rewards: Float32Array,
  prompts: number,
  group: number,
  scale: AdvantageScale,
): Float32Array {
  const advantages = new Float32Array(rewards.length);
  const batchDeviation = scale === 'batch' ? moments(applicable(rewards)).deviation : 0;
  for (let prompt = 0; prompt < prompts; prompt++) {
    const row = rewards.subarray(prompt * group, (prompt + 1) * group);
    const values = applicable(row);
    if (values.every((value) => value === values[0])) continue; // exact zeros: a mean would leave rounding, and rounding / eps
    const { mean, deviation } = moments(values);
    const divisor = scale === 'none' ? 1 : (scale === 'batch' ? batchDeviation : deviation) + eps;
    for (let i = 0; i < group; i++) {
      if (!Number.isNaN(row[i])) advantages[prompt * group + i] = (row[i] - mean) / divisor;
    }
  }
  return advantages;
}

const applicable = (rewards: Float32Array): Float32Array => rewards.filter((reward) => !Number.isNaN(reward));

/** Mean and standard deviation (n-1; 0 for one value). */
function moments(values: Float32Array): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / Math.max(values.length - 1, 1)) };
}
