/** Reads runs, finished or in progress, for the CLI, the editor and for resuming. Nothing here writes. */
import fs from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { UserError } from '../errors';
import { type Damage, parseJson, readSmallText } from '../lines';
import type { StageName } from '../stages';
import { type Start, startOf } from '../start';
import { verifyCheckpoint } from './checkpoints';
import { check, eachRecord, readRecords } from './jsonl';
import * as layout from './layout';
import { lockHolder } from './lock';
import {
  type CheckpointEntry,
  type CheckpointState,
  type EvaluationRecord,
  evaluationRecordSchema,
  type FailureRecord,
  failureRecordSchema,
  formatVersion,
  type MetricsRecord,
  metricsRecordSchema,
  type RewriteRecord,
  type RolloutRecord,
  type RunRecord,
  rewriteRecordSchema,
  rolloutRecordSchema,
  runRecordSchema,
  type StageRow,
  stageRowSchema,
  type ValidationRecord,
  validationRecordSchema,
} from './records';

export { evaluationNames, rolloutSteps, runOfCheckpoint } from './layout';

/** A run on disk. */
export interface Run {
  /** Absolute. */
  folder: string;
  record: RunRecord;
  /** Its file says `running`, but no process holds its lock: it crashed or was killed, or the machine went down. */
  interrupted: boolean;
}

/** An entry in the list of runs: a run, or the reason why it cannot be read. */
export type RunListing = { id: string; folder: string } & ({ run: Run } | { problem: UserError });

/**
 * All runs of a folder (`.distillery/runs`), newest first; none if there is no such folder. One damaged run does not
 * hide the others.
 */
export function listRuns(runsFolder: string): RunListing[] {
  if (!fs.existsSync(runsFolder)) return [];
  return fs
    .readdirSync(runsFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry): RunListing => {
      const folder = resolve(runsFolder, entry.name);
      try {
        return { id: entry.name, folder, run: openRun(folder) };
      } catch (error) {
        const problem = error instanceof UserError ? error : new UserError((error as Error).message, { file: folder });
        return { id: entry.name, folder, problem };
      }
    })
    .sort((a, b) => (a.id < b.id ? 1 : -1));
}

/** Reads run.json. @throws UserError when the folder is not a run, is damaged, or was written by a newer version */
export function openRun(folder: string): Run {
  const file = layout.runFile(folder);
  if (!fs.existsSync(file))
    throw new UserError(fs.existsSync(folder) ? 'not a run: it has no run.json' : 'no such run', {
      file: folder,
      code: 'run',
      remedy: 'See `distillery runs` for the runs there are.',
    });
  const value = readJson(file);
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof format === 'number' && format > formatVersion)
    throw new UserError(`the run was written by a newer version (format ${format}, this one reads ${formatVersion})`, {
      file,
      code: 'version',
      remedy: 'Update Distillery.',
    });
  const record = check(runRecordSchema, value, { file });
  const held = record.state === 'running' || record.state === 'paused';
  return { folder: resolve(folder), record, interrupted: held && !lockHolder(folder) };
}

export type ShownState = Run['record']['state'] | 'interrupted';

/** The effective state of a run: one that no process works on was interrupted, whatever its file says. */
export function stateOf(run: Run): ShownState {
  const { state } = run.record;
  return run.interrupted || (state === 'created' && !lockHolder(run.folder)) ? 'interrupted' : state;
}

/**
 * The run that a user names: a path, an id, a unique part of an id in `listed`, or `latest`, the first of them. `none`
 * is the remedy when there are no runs. @throws UserError that lists the candidates
 */
export function findRun(name: string, listed: () => RunListing[], none: string): Run {
  if (fs.existsSync(layout.runFile(name)) || (/[\\/]/.test(name) && fs.existsSync(name))) return openRun(name);
  const runs = listed();
  let matches = runs.filter(({ id }) => id === name);
  if (name === 'latest') matches = runs.slice(0, 1);
  else if (matches.length === 0) matches = runs.filter(({ id }) => id.includes(name));
  if (matches.length === 1) return openRun(matches[0].folder);
  const [among, fault] =
    matches.length > 1
      ? [matches, `the name "${name}" matches more than one run`]
      : [runs, runs.length > 0 ? `no run matches the name "${name}"` : 'there are no runs here'];
  const some = among.slice(0, 8).map(({ id }) => id);
  const more = among.length > some.length ? ', ...' : '';
  throw new UserError(fault, { code: 'run', remedy: some.length > 0 ? `Runs: ${some.join(', ')}${more}.` : none });
}

/** config.json: the resolved config with versions and hashes. */
export function readConfig(run: string): unknown {
  return readJson(layout.configFile(run));
}

/** The checkpoint that a run began with; undefined for a base student, or when its config.json cannot be read. */
export function readStart(run: string): Start | undefined {
  try {
    return startOf(readConfig(run));
  } catch {
    return undefined;
  }
}

/** Rows of summary.json, in training order. An unreadable file is reported to `damage`; without it, it is an error. */
export function readSummary(run: string, damage?: Damage): StageRow[] {
  const file = layout.summaryFile(run);
  try {
    return fs.existsSync(file) ? check(z.array(stageRowSchema), readJson(file), { file }) : [];
  } catch (error) {
    if (!damage || !(error instanceof UserError)) throw error;
    damage(error);
    return [];
  }
}

/** Updates, in order. Unreadable lines are reported to `damage`, here and below; without it they are errors. */
export function readMetrics(run: string, damage?: Damage): MetricsRecord[] {
  return readRecords(layout.metricsFile(run), metricsRecordSchema, damage);
}

/** Validations; none in runs of versions that did not record them. */
export function readValidation(run: string, damage?: Damage): ValidationRecord[] {
  return readRecords(layout.validationFile(run), validationRecordSchema, damage);
}

export function readRollouts(run: string, stage: StageName, step: number, damage?: Damage): RolloutRecord[] {
  return readRecords(layout.rolloutsFile(run, stage, step), rolloutRecordSchema, damage);
}

/** The same one by one, for any number. */
export const eachRollout = (run: string, stage: StageName, step: number, damage?: Damage) =>
  eachRecord(layout.rolloutsFile(run, stage, step), rolloutRecordSchema, { damage });

/** Maximum bytes of failures and of rewrites in memory: ten times those of GSM8K. */
const maxCaseBytes = 64 << 20;

export function readFailures(run: string, damage?: Damage): FailureRecord[] {
  return readRecords(layout.failuresFile(run), failureRecordSchema, damage, maxCaseBytes);
}

export function readRewrites(run: string, damage?: Damage): RewriteRecord[] {
  return readRecords(layout.rewritesFile(run), rewriteRecordSchema, damage, maxCaseBytes);
}

export function readEvaluation(run: string, name: string, damage?: Damage): EvaluationRecord[] {
  return readRecords(layout.evaluationFile(run, name), evaluationRecordSchema, damage);
}

export interface FoundCheckpoint {
  entry: CheckpointEntry;
  folder: string;
  state: CheckpointState;
  /** Newer checkpoints that failed verification, with reasons. */
  skipped: { name: string; problem: UserError }[];
}

/** The newest published checkpoint with intact files that `inspect` accepts; null if there is none. */
export function latestCheckpoint(
  run: Run,
  inspect: (found: Omit<FoundCheckpoint, 'skipped'>) => unknown = () => {},
): FoundCheckpoint | null {
  const skipped: FoundCheckpoint['skipped'] = [];
  for (const entry of run.record.checkpoints.slice().reverse()) {
    const folder = join(layout.checkpointsFolder(run.folder), entry.name);
    try {
      const found = { entry, folder, state: verifyCheckpoint(folder) };
      inspect(found);
      return { ...found, skipped };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      skipped.push({ name: entry.name, problem: error });
    }
  }
  return null;
}

function readJson(file: string): unknown {
  if (!fs.existsSync(file)) {
    const remedy = 'Every run has this file: restore it from a copy.';
    throw new UserError('no such file', { file, code: 'run', remedy });
  }
  return parseJson(readSmallText(file), { file, code: 'run' });
}
