/**
 * What a run's config.json says about its rewards and where its student and problems are; every part may be missing.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { componentSchemas } from '../../config/components';
import { experimentSchema } from '../../config/experiment';
import { gatesOf, nameOf } from '../../config/reward';
import { loadData } from '../../data/load';
import type { Problem } from '../../data/types';
import { checkpointsFolder } from '../../runs/layout';
import { type StageName, sampledAs } from '../../stages';
import { type Start, startOf } from '../../start';
import { attempt } from '../file-cache';
import { isImported } from '../run-cache';
import type { Recording } from './absent';

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

export interface PartSettings {
  weight: number;
  about: string;
}

export interface RunSettings {
  /** Of the reward's components, by their names. */
  parts(stage: StageName): Map<string, PartSettings>;
  /** What advantages are divided by. */
  scale(stage: StageName): string | undefined;
  /** What is recorded at the tokens of its completions; undefined where the config does not have the stage. */
  recording(stage: StageName): Recording | undefined;
  /** Whether its cases were imported: nothing was sampled here. */
  imported: boolean;
  /** Folders that may hold the student's tokenizer, the best first. */
  tokenizerFolders: string[];
  /** The checkpoint that the run began at; undefined: a base student. */
  start: Start | undefined;
  /**
   * The problems that the run trains and is tested on, by id. Read when first asked for; none where they cannot be
   * read.
   */
  problem(id: string): Problem | undefined;
}

/** `config` is the content of config.json, not checked. */
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
          nameOf(component),
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
  const schema = componentSchemas().find(({ shape }) =>
    (shape.use.options as readonly string[]).includes(component.use),
  );
  const gates = gatesOf(component);
  const gated =
    gates.length > 0 ? ` Applies where ${gates.join(' and ')} ${gates.length > 1 ? 'are' : 'is'} above 0.` : '';
  return `${schema?.description ?? component.use}${gated}`;
}

/** Reads the training problems when first asked, and those of the test when one is not among them. */
function problemFinder(run: string, data: unknown): (id: string) => Problem | undefined {
  const sources = experimentSchema().shape.data.safeParse(data).data;
  const known = new Map<string, Problem>();
  const unread: ('train' | 'test')[] = sources ? ['train', 'test'] : [];
  return (id) => {
    for (let split = unread[0]; split !== undefined && !known.has(id); split = unread[0]) {
      unread.shift();
      const read = attempt(run, () => loadData(sources![split], run, split).problems);
      // Where the data has moved, what the records say about the problem is shown without it.
      for (const problem of read.value ?? []) known.set(problem.id, problem);
    }
    return known.get(id);
  };
}
