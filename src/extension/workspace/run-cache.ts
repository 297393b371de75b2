/** The run folders of a workspace for the views: read once, and again only when a file has changed. */
import { type Dirent, existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { UserError } from '../../errors';
import { chunksOf, type Damage } from '../../lines';
import { type Decisions, decisionsOf, readDecisions } from '../../runs/decisions';
import { readRecords } from '../../runs/jsonl';
import {
  checkpointsFolder,
  configFile,
  decisionsFile,
  evaluationFile,
  failuresFile,
  rewritesFile,
  runFile,
  summaryFile,
} from '../../runs/layout';
import { lockHolder } from '../../runs/lock';
import {
  openRun,
  type Run,
  type RunListing,
  readConfig,
  readFailures,
  readRewrites,
  readSummary,
} from '../../runs/reading';
import { type CheckpointEntry, evaluationRecordSchema, type StageRow } from '../../runs/records';
import { type About, aboutFile, readAbout } from '../../runs/run-notes';
import { type Start, startOf } from '../../start';
import { attempt, cached, type Read, stampOf } from './file-cache';
import { leadsOut } from './named-files';

/** The summary of an evaluation's answers. */
export interface Score {
  n: number;
  correct: number;
  meanTokens: number;
}

/** A checkpoint of a run. `row` is its test result if its stage selected it. */
export interface ListedCheckpoint extends CheckpointEntry {
  folder: string;
  row?: StageRow;
}

/** Reads something of a run from one of its files, again only when the file has changed. */
function ofRun<T>(fileOf: (run: string) => string, read: (run: string, damage: Damage) => T, limit?: number) {
  const known = cached((file, damage) => read(dirname(file), damage), limit);
  return (run: string): Read<T> => known(fileOf(run));
}

export class RunCache {
  private readonly listings = new Map<string, { stamp: string; listing: RunListing }>();

  /** All runs of these folders, newest first. An unreadable run has its error. */
  list(folders: readonly string[]): RunListing[] {
    const seen = new Set<string>();
    const listed = folders.flatMap((folder) =>
      entries(folder).map((name) => {
        const run = resolve(folder, name);
        seen.add(run);
        return this.listing(name, run);
      }),
    );
    for (const run of this.listings.keys()) if (!seen.has(run)) this.listings.delete(run);
    return listed.sort((a, b) => Number(a.id < b.id) - Number(a.id > b.id));
  }

  find(folder: string): RunListing {
    return this.listing(basename(folder), folder);
  }

  /** Of the runs listed last, those whose state may change with their process. */
  unsettled(): Run[] {
    return [...this.listings.values()].flatMap(({ listing }) =>
      'run' in listing && !hasEnded(listing) ? [listing.run] : [],
    );
  }

  private listing(id: string, folder: string): RunListing {
    const stamp = stampOf(runFile(folder));
    const before = this.listings.get(folder);
    if (before?.stamp === stamp && hasEnded(before.listing)) return before.listing;
    const read = attempt(folder, () => openRun(folder));
    const listing: RunListing = read.problem ? { id, folder, problem: read.problem } : { id, folder, run: read.value };
    this.listings.set(folder, { stamp, listing });
    return listing;
  }

  /** Its checkpoints, newest first; none of a run that cannot be read. */
  checkpoints(listing: RunListing): ListedCheckpoint[] {
    if (!('run' in listing)) return [];
    const rows = this.summary(listing.folder).value ?? [];
    return listing.run.record.checkpoints.toReversed().map((entry) => ({
      ...entry,
      folder: checkpointPath(listing.folder, entry.name),
      row: rows.find(({ checkpoint }) => checkpoint === entry.name),
    }));
  }

  readonly summary = ofRun(summaryFile, (run) => readSummary(run));
  /** config.json: `{experiment, environment}`, not validated. */
  readonly config = ofRun(configFile, readConfig);
  readonly failures = ofRun(failuresFile, readFailures, 8);
  readonly rewrites = ofRun(rewritesFile, readRewrites, 8);
  private readonly abouts = ofRun(aboutFile, readAbout);
  private readonly decided = ofRun(decisionsFile, (run, damage) => decisionsOf(readDecisions(run, damage)), 50);
  private readonly counts = cached(countLines);
  private readonly scores = cached(scoreOf, 500);

  /** The checkpoint that the run began with; undefined for a base student or an unreadable config.json. */
  start(run: string): Start | undefined {
    return startOf(this.config(run).value);
  }

  /** Whether the run was imported: nothing was trained. */
  imported(run: string): boolean {
    return isImported(this.config(run).value);
  }

  /** A person's name and notes for the run; empty if they cannot be read. */
  about(run: string): About {
    return this.abouts(run).value ?? {};
  }

  /** People's decisions on its cases; empty if they cannot be read. */
  decisions(run: string): Decisions {
    return this.decided(run).value ?? nothingDecided;
  }

  /** The first of its decisions that cannot be read. */
  damagedDecision(run: string): UserError | undefined {
    const { damage, problem = damage } = this.decided(run);
    return problem;
  }

  /** The number of lines of failures.jsonl, without parsing. */
  failureCount(run: string): number {
    return this.counts(failuresFile(run)).value ?? 0;
  }

  score(run: string, evaluation: string): Read<Score> {
    return this.scores(evaluationFile(run, evaluation));
  }
}

/** Whether only a change of run.json changes the listing. The process of a run in progress may end without one. */
function hasEnded(listing: RunListing): boolean {
  if (!('run' in listing)) return listing.problem.code !== 'trust'; // trust can be granted later
  return !['created', 'running', 'paused'].includes(listing.run.record.state);
}

function entries(folder: string): string[] {
  if (leadsOut(folder)) return [];
  let found: Dirent[];
  try {
    found = readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // the folder does not exist yet or cannot be read: no runs
  }
  return found.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
}

const nothingDecided = decisionsOf([]);

/** From the content of config.json, which is not validated. */
export const isImported = (config: unknown): boolean =>
  typeof config === 'object' && config !== null && 'imported' in config;

/** Lines are counted only in files up to this size, the limit of readFailures. */
const maxCounted = 64 << 20;

function countLines(file: string): number {
  if (!existsSync(file)) return 0;
  let [lines, bytes] = [0, 0];
  for (const chunk of chunksOf(file)) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
    bytes += chunk.length;
    if (bytes > maxCounted) break;
  }
  return lines;
}

function scoreOf(file: string, damage: Damage): Score {
  const answers = readRecords(file, evaluationRecordSchema, damage);
  const tokens = answers.reduce((sum, answer) => sum + answer.tokens, 0);
  return {
    n: answers.length,
    correct: answers.filter(({ correct }) => correct).length,
    meanTokens: answers.length > 0 ? tokens / answers.length : Number.NaN,
  };
}

/** Whether a process works on the run now. */
export function isLive(run: Run): boolean {
  return ['created', 'running', 'paused'].includes(run.record.state) && lockHolder(run.folder) !== undefined;
}

export const checkpointPath = (run: string, name: string) => join(checkpointsFolder(run), name);
