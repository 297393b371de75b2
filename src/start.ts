/** The name of the initial student of a run: usually a base student, sometimes a checkpoint of another run. */
import { checkpointPattern, type StageName, shortStageTitles, stageTitles } from './stages';

/** The checkpoint that a run begins with. */
export interface Start {
  /** The folder name of its run. */
  run: string;
  checkpoint: string;
}

const checkpointPath = new RegExp(`([^\\\\/]+)[\\\\/]checkpoints[\\\\/](${checkpointPattern})[\\\\/]?$`);

/** The checkpoint at a path; undefined for other folders. */
export function startAt(path: string): Start | undefined {
  const [, run, checkpoint] = checkpointPath.exec(path) ?? [];
  return checkpoint === undefined ? undefined : { run, checkpoint };
}

/** From the run's config.json, which is not validated. undefined: it begins with a base student. */
export function startOf(config: unknown): Start | undefined {
  const { experiment } = (config ?? {}) as { experiment?: { student?: { path?: unknown } } };
  const path = experiment?.student?.path;
  return typeof path === 'string' ? startAt(path) : undefined;
}

/** `Stage 2 (Complete)`, `Base student`, `Start: 20260205-140309-arithmetic complete-220`. */
export const studentTitle = (stage: StageName, start: Start | undefined): string =>
  stage === 'base' && start ? `Start: ${start.run} ${start.checkpoint}` : stageTitles[stage];

/** For places that name the run already: `Stage 2 (Complete)`, `Start: complete-220`. */
export const studentLabel = (stage: StageName, start: Start | undefined): string =>
  stage === 'base' && start ? `Start: ${start.checkpoint}` : stageTitles[stage];

/** Where space is short: `Stage 2`, `Base`, `Start: complete-220`. */
export const shortStudentTitle = (stage: StageName, start: Start | undefined): string =>
  stage === 'base' && start ? `Start: ${start.checkpoint}` : shortStageTitles[stage];

/** In a sentence: `the base student`, `checkpoint complete-220 of 20260205-140309-arithmetic`. */
export const startText = (start: Start | undefined): string =>
  start ? `checkpoint ${start.checkpoint} of ${start.run}` : 'the base student';

/** The reference of comparisons, in a heading: `vs base`, `vs start`. */
export const comparisonHeading = (start: Start | undefined): string => `vs ${start ? 'start' : 'base'}`;

/** The student that an evaluation tested: the record of the initial one is always named `base`. */
export const testedName = (evaluation: string, start: Start | undefined): string =>
  evaluation === 'base' && start ? start.checkpoint : evaluation;
