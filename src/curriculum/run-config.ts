import * as z from 'zod';
import { backendNames } from '../config/backends';
import type { Experiment } from '../config/experiment';
import type { EngineInfo } from '../engine/port';
import { UserError } from '../errors';
import { readExperiment } from '../runs/experiment';
import { check } from '../runs/jsonl';
import { configFile } from '../runs/layout';
import { readConfig, runOfCheckpoint } from '../runs/reading';
import type { RecordedModule } from './reward-modules';

const backendSchema = z.looseObject({
  name: z.enum(backendNames),
  description: z.string(),
  isa: z.string().optional(),
});

/** The part of `environment` that later code needs; it has more fields. */
const environmentSchema = z.looseObject({
  backend: backendSchema.optional(),
  datasets: z.object({ train: z.string(), test: z.string() }),
  rewardModules: z.array(z.object({ path: z.string(), sha256: z.string(), copy: z.string() })).optional(),
});

/** The content of a run's config.json: the complete experiment and its environment. */
export interface RunConfig {
  experiment: Experiment;
  environment: {
    backend?: EngineInfo;
    datasets: { train: string; test: string };
    rewardModules?: RecordedModule[];
    [more: string]: unknown;
  };
}

/**
 * The validated config.json of a run to resume. @throws UserError when it is damaged, or when the run has imported
 * cases and no experiment
 */
export function readRunConfig(run: string): RunConfig {
  const file = configFile(run);
  const recorded = readExperiment(run);
  if (!recorded)
    throw new UserError('it has no experiment', {
      file,
      code: 'run',
      remedy: 'Imported cases have none. The config of any other run was changed or damaged: restore it from a copy.',
    });
  const { environment } = check(z.looseObject({}), readConfig(run), { file });
  return {
    experiment: recorded.experiment,
    environment: check(environmentSchema, environment, { file }),
  };
}

/** The config of the run that a checkpoint belongs to, if there is one that can be read. */
export function runConfigOf(checkpoint: string): RunConfig | undefined {
  const run = runOfCheckpoint(checkpoint);
  if (!run) return undefined;
  try {
    return readRunConfig(run);
  } catch {
    return undefined;
  }
}
