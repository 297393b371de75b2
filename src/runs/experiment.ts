/** The experiment of a run, from its config.json. */
import { dirname } from 'node:path';
import * as z from 'zod';
import { type Experiment, experimentSchema } from '../config/experiment';
import { resolveExperiment } from '../config/load';
import { check } from './jsonl';
import { configFile } from './layout';
import { readConfig } from './reading';

/** The values of runs that began before AdamW's numbers were settings. */
const formerAdam = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 };

/** Earlier runs recorded `baselines.controls`, an unused list. */
const formerSchema = z.looseObject({ baselines: z.looseObject({}).optional() });

function withoutControls(settings: z.infer<typeof formerSchema>) {
  const { controls: _, ...baselines } = settings.baselines ?? {};
  return { ...settings, baselines };
}

const configSchema = z.looseObject({
  experiment: z.unknown().optional(),
  environment: z.looseObject({ backend: z.looseObject({ description: z.string().optional() }).optional() }).optional(),
});

/** What a run was asked to do, and the backend that did it in words, if known. */
export interface RecordedExperiment {
  experiment: Experiment;
  backend?: string;
}

/** Undefined for a run without an experiment, such as imported cases. @throws UserError when config.json is damaged */
export function readExperiment(run: string): RecordedExperiment | undefined {
  const file = configFile(run);
  const { experiment, environment } = check(configSchema, readConfig(run), { file });
  if (experiment === undefined) return undefined;
  const settings = withoutControls({ adam: formerAdam, ...check(formerSchema, experiment, { file }) });
  return {
    experiment: resolveExperiment(check(experimentSchema(), settings, { file }), dirname(file)),
    backend: environment?.backend?.description,
  };
}
