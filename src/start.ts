/**
 * What the student is called that a run begins with: most begin with a base student, some with a checkpoint of another
 * run.
 */
import { checkpointPattern, type StageName, shortStageTitles, stageTitles } from './stages';

/** The checkpoint that a run begins at. */
export interface Start {
  /** The folder name of the run that it lies in. */
  run: string;
  checkpoint: string;
}

const checkpointPath = new RegExp(`([^\\\\/]+)[\\\\/]checkpoints[\\\\/](${checkpointPattern})[\\\\/]?$`);

/** The checkpoint that a path names; undefined for any other folder. */
export function startAt(path: string): Start | undefined {
  const [, run, checkpoint] = checkpointPath.exec(path) ?? [];
  return checkpoint === undefined ? undefined : { run, checkpoint };
}

/**
 * By the content of the run's config.json, of which nothing is taken for granted. undefined: it begins with a base
 * student.
 */
export function startOf(config: unknown): Start | undefined {
  const { experiment } = (config ?? {}) as { experiment?: { student?: { path?: unknown } } };
  const path = experiment?.student?.path;
  return typeof path === 'string' ? startAt(path) : undefined;
}

/** `Stage 2 (Complete)`, `Base student`, `Start: 20260205-140309-arithmetic complete-220`. */
export const studentTitle = (stage: StageName, start: Start | undefined): string =>
  stage === 'base' && start ? `Start: ${start.run} ${start.checkpoint}` : stageTitles[stage];

/** Where the run is named elsewhere: `Stage 2 (Complete)`, `Start: complete-220`. */
export const studentLabel = (stage: StageName, start: Start | undefined): string =>
  stage === 'base' && start ? `Start: ${start.checkpoint}` : stageTitles[stage];

/** Where there is little room: `Stage 2`, `Base`, `Start: complete-220`. */
export const shortStudentTitle = (stage: StageName, start: Start | undefined): string =>
  stage === 'base' && start ? `Start: ${start.checkpoint}` : shortStageTitles[stage];

/** In a sentence: `the base student`, `checkpoint complete-220 of 20260205-140309-arithmetic`. */
export const startText = (start: Start | undefined): string =>
  start ? `checkpoint ${start.checkpoint} of ${start.run}` : 'the base student';

/** What the others are compared with, in a heading: `vs base`, `vs start`. */
export const versusStart = (start: Start | undefined): string => `vs ${start ? 'start' : 'base'}`;

/** What an evaluation tested: the record of the start is named `base` whatever it was. */
export const testedName = (evaluation: string, start: Start | undefined): string =>
  evaluation === 'base' && start ? start.checkpoint : evaluation;
