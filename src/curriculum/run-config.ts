import type { Experiment } from '../config/experiment';
import { readConfig, runOfCheckpoint } from '../runs/reading';

/** What config.json of a run holds: the complete experiment, and what it ran on. */
export interface RunConfig {
  experiment: Experiment;
  environment: Record<string, unknown>;
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
