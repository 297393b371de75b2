/** Converts a trainer's log of an update (names of transformers and TRL) to our metrics. */
import type { UpdateMetrics } from '../runs/records';

export type LoggedMetrics = Partial<Omit<UpdateMetrics, 'stage' | 'step' | 'phase'>>;

/** Our names, and those of transformers' and TRL's trainers. The same table is in integrations/distillery.py. */
const trainerNames: readonly [keyof LoggedMetrics, string][] = [
  ['loss', 'loss'],
  ['gradNorm', 'grad_norm'],
  ['lr', 'learning_rate'],
  ['reward', 'reward'],
  ['rewardStd', 'reward_std'],
  ['kl', 'kl'],
  ['entropy', 'entropy'],
  ['clipLow', 'clip_ratio/low_mean'],
  ['clipHigh', 'clip_ratio/high_mean'],
  ['lengthMean', 'completions/mean_length'],
  ['truncated', 'completions/clipped_ratio'],
  ['flatGroups', 'frac_reward_zero_std'],
];

/** In Trackio and W&B the names have the prefix `train/`. */
export function metricsOf(log: Readonly<Record<string, unknown>>): LoggedMetrics {
  const valueAt = (name: string) => numberIn(log[name] ?? log[`train/${name}`]);
  const metrics: Record<string, unknown> = {};
  for (const [ours, theirs] of trainerNames) {
    const value = valueAt(theirs);
    if (value !== undefined) metrics[ours] = value;
  }
  const parts = partsOf(log);
  return { ...(metrics as LoggedMetrics), ...(Object.keys(parts).length > 0 && { parts }) };
}

/** Means of the reward functions, by their names. */
function partsOf(log: Readonly<Record<string, unknown>>): Record<string, number> {
  const parts: Record<string, number> = {};
  for (const [key, value] of Object.entries(log)) {
    const name = /^(?:train\/)?rewards\/(.+)\/mean$/.exec(key)?.[1];
    const number = numberIn(value);
    if (name !== undefined && number !== undefined) parts[name] = number;
  }
  return parts;
}

function numberIn(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : undefined;
}

/**
 * The validation results of a log entry: `eval_loss`, and the share in `eval_rewards/<accuracy ...>/mean`.
 */
export function validationOf(log: Readonly<Record<string, unknown>>): { loss?: number; accuracy?: number } {
  const loss = numberIn(log.eval_loss ?? log['eval/loss']);
  const right = Object.entries(log).find(([key]) => /^eval[_/]rewards\/[^/]*accura[^/]*\/mean$/.test(key))?.[1];
  const accuracy = numberIn(right);
  return { ...(loss !== undefined && { loss }), ...(accuracy !== undefined && { accuracy }) };
}
