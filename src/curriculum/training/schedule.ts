export interface Schedule {
  learningRate: number;
  schedule: 'constant' | 'linear' | 'cosine';
  /** Share of the updates over which the rate rises linearly from 0. */
  warmup: number;
  /** The final rate of a falling schedule, as a share of `learningRate`. */
  minLearningRate: number;
}

/** Learning rate of update `update` (0-based) out of `updates`. */
export function learningRateAt(settings: Schedule, update: number, updates: number): number {
  const warm = Math.round(settings.warmup * updates);
  if (update < warm) return (settings.learningRate * (update + 1)) / warm;
  const progress = updates > warm ? (update - warm) / (updates - warm) : 0;
  let fall = 1;
  if (settings.schedule === 'linear') fall = 1 - progress;
  else if (settings.schedule === 'cosine') fall = (1 + Math.cos(Math.PI * progress)) / 2;
  return settings.learningRate * (settings.minLearningRate + (1 - settings.minLearningRate) * fall);
}
