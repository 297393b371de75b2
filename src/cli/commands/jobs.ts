/**
 * Jobs that a scheduler restarts, perhaps on another machine: they resume the run of the previous job, and keep a copy
 * elsewhere.
 */
import { basename, join, resolve } from 'node:path';
import type { Experiment } from '../../config/experiment';
import { readRunConfig } from '../../curriculum/run-config';
import { isObject } from '../../json';
import { mirrorRun } from '../../runs/mirror';
import { listRuns, openRun, type Run } from '../../runs/reading';
import { pc, stderr } from '../terminal/terminal';

/** Milliseconds between two checks for changes. */
const pollMs = 10_000;

/** The run to resume: the newest of this experiment here, else in the mirror folder, from which it is copied back. */
export function runToContinue(experiment: Experiment, runsFolder: string, mirror: string | undefined): Run | undefined {
  const here = newestRunOf(experiment, runsFolder);
  if (here || mirror === undefined) return here;
  const copied = newestRunOf(experiment, resolve(mirror));
  if (!copied) return undefined;
  const folder = join(runsFolder, basename(copied.folder));
  mirrorRun(copied.folder, folder);
  return openRun(folder);
}

/**
 * Mirrors a run to a folder while it trains. Call the returned function when the run has ended; it makes the last copy.
 */
export function keepMirrored(run: string, mirror: string | undefined): () => void {
  if (mirror === undefined) return () => {};
  let last = '';
  const copy = () => {
    try {
      mirrorRun(run, join(resolve(mirror), basename(run)));
    } catch (error) {
      const { message } = error as Error; // training continues, and the next attempt may succeed
      if (message !== last) stderr.write(`${pc.yellow('warning')} the run is not mirrored: ${message}\n`);
      last = message;
    }
  };
  const timer = setInterval(copy, pollMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    copy();
  };
}

/** The newest run of this experiment with the same settings, below a folder of runs; undefined if there is none. */
function newestRunOf(experiment: Experiment, runsFolder: string): Run | undefined {
  for (const listed of listRuns(runsFolder)) {
    if (!('run' in listed) || listed.run.record.name !== experiment.name) continue;
    if (isSame(experiment, readRunConfig(listed.folder).experiment)) return listed.run;
  }
  return undefined;
}

/** Whether settings equal the requested ones, where "auto" was replaced by a value for student and data. */
function isSame(asked: unknown, recorded: unknown): boolean {
  if (asked === 'auto') return true;
  if (Array.isArray(asked) && Array.isArray(recorded))
    return asked.length === recorded.length && asked.every((one, i) => isSame(one, recorded[i]));
  if (!isObject(asked) || !isObject(recorded)) return asked === recorded;
  return Object.entries(asked).every(([name, value]) => value === undefined || isSame(value, recorded[name]));
}
