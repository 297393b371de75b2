/** A run's rewards and the locations of its student and problems, from its config.json. Every part may be missing. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { componentName, gatesOf } from '../../config/reward';
import type { Problem } from '../../data/types';
import { components } from '../../reward-components';
import { checkpointsFolder } from '../../runs/layout';
import { type StageName, sampledAs } from '../../stages';
import { type Start, startOf } from '../../start';
import { problemFinder } from '../cases/known-problems';
import { isImported } from '../workspace/run-cache';
import type { Recording } from './missing-values';

const componentSchema = z.object({
  use: z.string(),
  name: z.string().optional(),
  weight: z.number().default(1),
  gate: z.union([z.string(), z.array(z.string())]).default([]),
});
const stageSchema = z.object({
  reward: z.object({ components: z.array(componentSchema) }).optional(),
  scale: z.string().optional(),
  beta: z.number().optional(),
  tokenMeasures: z.boolean().optional(),
});
const configSchema = z.object({
  experiment: z.object({
    student: z.object({ path: z.string() }).partial().optional(),
    data: z.unknown().optional(),
    stages: z
      .record(z.string(), stageSchema.or(z.literal(false)))
      .catch({})
      .optional(),
  }),
});

interface PartSettings {
  weight: number;
  about: string;
}

export interface RunSettings {
  /** Weights of the reward's components, by name. */
  parts(stage: StageName): Map<string, PartSettings>;
  /** The divisor of advantages. */
  scale(stage: StageName): string | undefined;
  /** What is recorded for completion tokens; undefined where the config does not have the stage. */
  recording(stage: StageName): Recording | undefined;
  /** Whether the cases were imported: nothing was sampled here. */
  imported: boolean;
  /** Folders that may have the student's tokenizer, best first. */
  tokenizerFolders: string[];
  /** The checkpoint that the run began with; undefined for a base student. */
  start: Start | undefined;
  /** Training and test problems of the run, by id. Read on first use; empty where they cannot be read. */
  problem(id: string): Problem | undefined;
}

/** `config` is the unvalidated content of config.json. */
export function readSettings(run: string, config: unknown): RunSettings {
  const experiment = configSchema.safeParse(config).data?.experiment;
  const checkpoints = checkpointsFolder(run);
  const names = existsSync(checkpoints) ? readdirSync(checkpoints).sort() : [];
  const student = experiment?.student?.path;
  const settingsOf = (stage: StageName) => experiment?.stages?.[sampledAs[stage] ?? stage] || undefined;
  return {
    parts: (stage) =>
      new Map(
        (settingsOf(stage)?.reward?.components ?? []).map((component) => [
          componentName(component),
          { weight: component.weight, about: describe(component) },
        ]),
      ),
    scale: (stage) => settingsOf(stage)?.scale,
    recording: settingsOf,
    imported: isImported(config),
    tokenizerFolders: [...(student ? [student] : []), ...names.map((name) => join(checkpoints, name))],
    start: startOf(config),
    problem: problemFinder(run, experiment?.data),
  };
}

function describe(component: z.output<typeof componentSchema>): string {
  const ours = components.find(({ name }) => name === component.use);
  const gates = gatesOf(component);
  const gated =
    gates.length > 0 ? ` Applies where ${gates.join(' and ')} ${gates.length > 1 ? 'are' : 'is'} above 0.` : '';
  return `${ours?.description ?? component.use}${gated}`;
}
