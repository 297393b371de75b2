import type { Experiment } from '../config/experiment';
import { UserError } from '../errors';
import { listRuns } from '../runs/reading';
import { readRunConfig } from './run-config';

/** The folder of the newest run below `runsFolder` that is of this experiment and not finished; null where there is none. */
export function unfinishedRun(experiment: Experiment, runsFolder: string): string | null {
  const found = listRuns(runsFolder).find(
    (entry) => 'run' in entry && entry.run.record.state !== 'finished' && isOf(experiment, entry.folder),
  );
  return found?.folder ?? null;
}

function isOf(experiment: Experiment, run: string): boolean {
  try {
    return fits(experiment, readRunConfig(run).experiment);
  } catch (error) {
    if (error instanceof UserError) return false; // imported cases, or damaged: nothing to go on with
    throw error;
  }
}

/** Whether a run's settings are those that were asked for; for "auto", a run has what it came to. */
function fits(asked: unknown, recorded: unknown): boolean {
  if (asked === 'auto') return true;
  if (!isTree(asked) || !isTree(recorded)) return asked === recorded;
  const names = new Set([...Object.keys(asked), ...Object.keys(recorded)]);
  return [...names].every((name) => fits(asked[name], recorded[name]));
}

const isTree = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
