/** Paths in a run folder. */
import fs from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UserError } from '../errors';
import { type StageName, stageNames } from '../stages';

/** Folder of runs, below the workspace folder. */
export const runsFolderName = join('.distillery', 'runs');

export const runFile = (run: string) => join(run, 'run.json');
export const configFile = (run: string) => join(run, 'config.json');
export const summaryFile = (run: string) => join(run, 'summary.json');
export const metricsFile = (run: string) => join(run, 'metrics.jsonl');
export const validationFile = (run: string) => join(run, 'validation.jsonl');
export const failuresFile = (run: string) => join(run, 'failures.jsonl');
export const rewritesFile = (run: string) => join(run, 'rewrites.jsonl');
/** People's decisions. Not among `recordFiles`, as they have no `seq` and are not truncated on resume. */
export const decisionsFile = (run: string) => join(run, 'decisions.jsonl');
export const rolloutsFile = (run: string, stage: StageName, step: number) =>
  join(rolloutsFolder(run), stage, `${step}.jsonl`);
/** The copy of a module that a reward in code names. */
export const rewardModuleFile = (run: string, name: string) => join(run, 'rewards', name);
export const checkpointsFolder = (run: string) => join(run, 'checkpoints');
export const lockFolder = (run: string) => join(run, 'lock');
const rolloutsFolder = (run: string) => join(run, 'rollouts');
const evaluationsFolder = (run: string) => join(run, 'evaluations');

/** The run of a checkpoint's folder, if it belongs to one. */
export function runOfCheckpoint(checkpoint: string): string | undefined {
  const parent = resolve(checkpoint, '..');
  const run = resolve(parent, '..');
  return basename(parent) === 'checkpoints' && fs.existsSync(runFile(run)) ? run : undefined;
}

/** `name` is one path component of letters, digits and `._-`. */
export function evaluationFile(run: string, name: string): string {
  if (!/^[\w.-]+$/.test(name))
    throw new UserError(`"${name}" cannot be the name of an evaluation`, {
      code: 'run',
      remedy: 'Use letters, digits, . _ and -.',
    });
  return join(evaluationsFolder(run), `${name}.jsonl`);
}

/** Stages and steps with rollouts, in training order. */
export function rolloutSteps(run: string): { stage: StageName; step: number }[] {
  return stageNames.flatMap((stage) =>
    names(join(rolloutsFolder(run), stage))
      .filter((name) => /^\d+$/.test(name))
      .map((name) => ({ stage, step: Number(name) }))
      .sort((a, b) => a.step - b.step),
  );
}

/** Names of the evaluations, sorted. */
export function evaluationNames(run: string): string[] {
  return names(evaluationsFolder(run)).sort();
}

/** All existing files of appended records. */
export function recordFiles(run: string): string[] {
  return possibleRecordFiles(run).filter((file) => fs.existsSync(file));
}

/** All files and folders that resuming a run may change. */
export function changingPaths(run: string): string[] {
  return [
    ...[runFile(run), summaryFile(run), checkpointsFolder(run), lockFolder(run), evaluationsFolder(run)],
    ...stageNames.map((stage) => join(rolloutsFolder(run), stage)),
    ...possibleRecordFiles(run),
  ];
}

function possibleRecordFiles(run: string): string[] {
  return [
    metricsFile(run),
    validationFile(run),
    failuresFile(run),
    rewritesFile(run),
    ...rolloutSteps(run).map(({ stage, step }) => rolloutsFile(run, stage, step)),
    ...evaluationNames(run).map((name) => evaluationFile(run, name)),
  ];
}

function names(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).flatMap((name) => (name.endsWith('.jsonl') ? name.slice(0, -'.jsonl'.length) : []));
}
