/** Runs of the curriculum benchmark: finished ones are reused, interrupted ones resumed, missing ones started. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Experiment } from '../src/config/experiment';
import { readRunConfig } from '../src/curriculum/run-config';
import { resumeRun, type SessionOptions, startRun } from '../src/curriculum/session';
import type { ProblemAnswers } from '../src/runs/paired';
import { listRuns, type RunListing, readEvaluation, readSummary } from '../src/runs/reading';
import type { StageName } from '../src/stages';

/** Test results of a stage's student in one run, or their mean over several runs. */
export interface StageOutcome extends ProblemAnswers {
  accuracy: number;
  meanTokens: number;
  /** Share cut off by the token budget. */
  truncated: number;
  /** Training time, validation included. */
  seconds: number;
}

/** The students of one run. */
export type Outcomes = Map<StageName, StageOutcome>;

/** Contents of `pretraining.json` in a base student's folder. */
const pretrainingSchema = z.object({
  /** Share of concise solutions in its corpus, 0 to 1. */
  concise: z.number().min(0).max(1).optional(),
  seed: z.number().optional(),
});
export type Pretraining = z.infer<typeof pretrainingSchema>;

export function pretrainingOf(student: string): Pretraining {
  const file = join(student, 'pretraining.json');
  return existsSync(file) ? pretrainingSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : {};
}

/**
 * Results of the experiment. A finished run of exactly this experiment in `runsFolder` is reused, an unfinished one
 * resumed. Delete the folder to train again.
 */
export async function outcomesOf(
  experiment: Experiment,
  runsFolder: string,
  label: string,
  signal: AbortSignal,
): Promise<Outcomes> {
  const started = performance.now();
  const options: SessionOptions = {
    signal,
    notify: (event) => {
      if (event.type !== 'result') return;
      const { stage, accuracy, meanTokens } = event.row;
      const minutes = (performance.now() - started) / 60_000;
      console.log(
        `  ${label} ${stage}: ${(100 * accuracy).toFixed(1)} %, ` +
          `${meanTokens.toFixed(1)} tokens (${minutes.toFixed(1)} min)`,
      );
    },
  };
  const begun = listRuns(runsFolder).filter((listing) => isRunOf(listing, experiment));
  const found = begun.find(isFinished) ?? begun[0];
  if (found && isFinished(found)) return readOutcomes(found.folder);
  if (found) console.log(`  ${label} resumes ${found.id}`);
  const { folder } = found ? await resumeRun(found.folder, options) : await startRun(experiment, runsFolder, options);
  return readOutcomes(folder);
}

const isFinished = (listing: RunListing) => 'run' in listing && listing.run.record.state === 'finished';

function isRunOf(listing: RunListing, experiment: Experiment): boolean {
  if (!('run' in listing)) return false;
  try {
    return matches(JSON.parse(JSON.stringify(experiment)), readRunConfig(listing.folder).experiment);
  } catch {
    return false; // an unreadable run is not resumed
  }
}

/**
 * Whether a recorded config matches the requested one. "auto" matches any value, because the chosen value is recorded.
 */
export function matches(asked: unknown, recorded: unknown): boolean {
  if (asked === 'auto') return true;
  if (typeof asked !== 'object' || asked === null || typeof recorded !== 'object' || recorded === null)
    return asked === recorded;
  const [a, b] = [asked as Record<string, unknown>, recorded as Record<string, unknown>];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => matches(a[key], b[key]));
}

function readOutcomes(folder: string): Outcomes {
  return new Map(
    readSummary(folder).map(({ stage, accuracy, meanTokens, truncated = 0, wallSeconds, checkpoint }) => {
      const answers = readEvaluation(folder, checkpoint ?? stage);
      const outcome: StageOutcome = {
        accuracy,
        meanTokens,
        truncated,
        seconds: wallSeconds,
        right: answers.map(({ correct }) => Number(correct)),
        tokens: answers.map(({ tokens }) => tokens),
      };
      return [stage, outcome];
    }),
  );
}
