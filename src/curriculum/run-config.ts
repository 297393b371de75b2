import type { Experiment } from '../config/experiment';
import { readConfig, runOfCheckpoint } from '../runs/reading';

/** What config.json of a run holds: the complete experiment, and what it ran on. */
export interface RunConfig {
  experiment: Experiment;
  environment: Record<string, unknown>;
}

/** What runs trained with that began before AdamW's numbers were settings. */
const formerAdam = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 };

/** The config of a run that is to go on as it began. */
export function readRunConfig(folder: string): RunConfig {
  const { experiment, environment } = readConfig(folder) as RunConfig;
  return { experiment: { ...experiment, adam: experiment.adam ?? formerAdam }, environment };
}

/** The config of the run that a checkpoint lies in, if it lies in one that can be read. */
export function runConfigOf(checkpoint: string): RunConfig | undefined {
  const run = runOfCheckpoint(checkpoint);
  if (!run) return undefined;
  try {
    return readConfig(run) as RunConfig;
  } catch {
    return undefined;
  }
}
