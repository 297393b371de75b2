/** Writes a run: one process at a time, with every file consistent at every moment. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { diskError, guardDisk } from '../disk';
import { UserError } from '../errors';
import { encode } from '../json';
import { thisProcess } from '../processes';
import type { StageName } from '../stages';
import {
  checkInside,
  cutFile,
  flushFile,
  flushFolder,
  makeFolder,
  makeNewFolder,
  remove,
  replaceText,
} from '../writing';
import {
  deleteCheckpointFolder,
  removeUnfinished,
  renameForeignFolder,
  setAside,
  verifyCheckpoint,
  writeCheckpointFolder,
} from './checkpoints';
import { appendLines, lastSeq, truncateAfter } from './jsonl';
import * as layout from './layout';
import { acquireLock, type Lock } from './lock';
import { openRun, readSummary } from './reading';
import {
  type CheckpointEntry,
  type EvaluationRecord,
  type FailureRecord,
  formatVersion,
  type MetricsRecord,
  type RewriteRecord,
  type RolloutRecord,
  type RunRecord,
  type StageRow,
  stageRowSchema,
  type UpdateMetrics,
  type ValidationRecord,
} from './records';

type Unnumbered<T> = Omit<T, 'seq'>;

/** Creates the folder of a new run, `<runsFolder>/<time>-<name>`, with config.json, and opens it for writing. */
export function createRun(runsFolder: string, name: string, config: unknown, now = () => new Date()): RunWriter {
  const folder = guardDisk(runsFolder, 'no run was begun', () => makeRunFolder(runsFolder, name, now()));
  let lock: Lock | undefined;
  try {
    lock = acquireLock(folder);
    replaceText(folder, layout.configFile(folder), `${JSON.stringify(config, null, 2)}\n`);
    const time = now().toISOString();
    const record: RunRecord = {
      format: formatVersion,
      id: folder.slice(dirname(folder).length + 1),
      name,
      state: 'created',
      created: time,
      updated: time,
      host: thisHost(),
      checkpoints: [],
    };
    replaceText(folder, layout.runFile(folder), `${JSON.stringify(record, null, 2)}\n`);
    return new RunWriter(folder, record, lock, { seq: 0, now });
  } catch (error) {
    remove(runsFolder, folder); // nothing was recorded in it
    lock?.release();
    throw diskError((error as Error).cause ?? error, folder, 'no run was begun');
  }
}

/**
 * Opens an existing run to resume or extend it. @throws UserError when it is locked by a live process (`locked`), not a
 * run, or of a newer version
 */
export function openForWriting(folder: string, now = () => new Date()): RunWriter {
  openRun(folder); // reports a wrong folder before a lock file is created in it
  for (const path of layout.changingPaths(folder)) checkInside(folder, path);
  const lock = acquireLock(folder);
  try {
    const { record } = openRun(folder);
    removeUnfinished(folder, record);
    const seq = Math.max(0, ...layout.recordFiles(folder).map((file) => lastSeq(file).seq));
    return new RunWriter(folder, { ...record, host: thisHost() }, lock, { seq, now });
  } catch (error) {
    lock.release();
    throw error;
  }
}

export class RunWriter {
  /** The last sequence number; one counter for all files of the run. */
  private seq: number;
  private readonly now: () => Date;
  /** Files appended to since the last checkpoint. */
  private readonly unflushed = new Set<string>();

  constructor(
    readonly folder: string,
    private current: RunRecord,
    private readonly lock: Lock,
    { seq, now }: { seq: number; now: () => Date },
  ) {
    this.seq = seq;
    this.now = now;
  }

  get record(): Readonly<RunRecord> {
    return this.current;
  }

  /** Changes run.json. */
  update(
    change: Partial<Pick<RunRecord, 'state' | 'reason' | 'stage' | 'step' | 'checkpoints' | 'pending' | 'spent'>>,
  ): void {
    this.lock.check();
    const next = { ...this.current, ...change, updated: this.now().toISOString() };
    replaceText(this.folder, layout.runFile(this.folder), `${JSON.stringify(next, null, 2)}\n`);
    this.current = next;
  }

  metrics(update: UpdateMetrics): MetricsRecord {
    const [record] = this.append(layout.metricsFile(this.folder), [{ time: this.now().toISOString(), ...update }]);
    return record;
  }

  validation(check: Omit<ValidationRecord, 'seq' | 'time'>): void {
    this.append(layout.validationFile(this.folder), [{ time: this.now().toISOString(), ...check }]);
  }

  /**
   * All completions of an update. Log-probs keep float32 precision; entropies, which are only displayed, four decimals.
   */
  rollouts(stage: StageName, step: number, records: readonly Omit<RolloutRecord, 'seq' | 'stage' | 'step'>[]): void {
    const rows = records.map(({ logProbs, refLogProbs, entropy, ...rest }) => ({
      stage,
      step,
      ...rest,
      ...(logProbs && { logProbs: logProbs.map(shorten) }),
      ...(refLogProbs && { refLogProbs: refLogProbs.map(shorten) }),
      ...(entropy && { entropy: entropy.map((value) => Number(value.toFixed(4))) }),
    }));
    this.append(layout.rolloutsFile(this.folder, stage, step), rows);
  }

  failures(records: readonly Unnumbered<FailureRecord>[]): void {
    this.append(layout.failuresFile(this.folder), records);
  }

  rewrites(records: readonly Unnumbered<RewriteRecord>[]): void {
    this.append(layout.rewritesFile(this.folder), records);
  }

  /** `name` is a file name, such as a checkpoint's. An earlier evaluation of this name is replaced. */
  evaluation(name: string, records: readonly Unnumbered<EvaluationRecord>[]): void {
    const file = layout.evaluationFile(this.folder, name);
    this.lock.check();
    if (existsSync(file)) guardDisk(file, 'its earlier content is kept', () => cutFile(this.folder, file, 0));
    this.append(file, records);
  }

  /** A copy of a module of the run's rewards. */
  rewardModule(name: string, text: string): void {
    this.lock.check();
    const file = layout.rewardModuleFile(this.folder, name);
    guardDisk(file, 'no update was trained', () => {
      makeFolder(this.folder, dirname(file));
      replaceText(this.folder, file, text);
    });
  }

  /** Adds or replaces a stage's row of summary.json. */
  summary(row: Omit<StageRow, 'seq'>): void {
    const rows = readSummary(this.folder).filter((other) => other.stage !== row.stage);
    const seq = this.seq + 1;
    this.writeSummary([...rows, { ...row, seq }]);
    this.seq = seq;
  }

  /**
   * Writes a checkpoint: `write` puts the student and other files into the given folder; `state` (JSON) is the data for
   * resuming. Of the checkpoints without `keep`, the newest two stay; older ones are deleted once this one's files have
   * been verified.
   */
  async checkpoint(
    { stage, step, state, keep }: { stage: StageName; step: number; state: unknown; keep?: boolean },
    write: (folder: string) => void | Promise<void>,
  ): Promise<CheckpointEntry> {
    const name = `${stage}-${step}`;
    const folder = layout.checkpointsFolder(this.folder);
    if (this.current.checkpoints.some((other) => other.name === name))
      throw new UserError(`the checkpoint ${name} exists already`, {
        file: join(folder, name),
        code: 'checkpoint',
        remedy: 'The run was changed by hand: start a new one. The records of this one can still be read.',
      });
    this.flushRecords();
    const entry: CheckpointEntry = { name, stage, step, seq: this.seq, ...(keep && { keep }) };
    try {
      if (!this.current.pending?.includes(name)) renameForeignFolder(this.folder, name);
      this.update({ pending: [name] });
      await writeCheckpointFolder(this.folder, name, { stage, step, seq: this.seq, state }, write);
    } catch (error) {
      throw diskError(error, join(folder, name), 'the earlier checkpoints are kept');
    }
    verifyCheckpoint(join(folder, name));
    const all = [...this.current.checkpoints, entry];
    const old = all.filter((other) => !other.keep).slice(0, -2);
    this.publish(all, old, { stage, step });
    return entry;
  }

  /** Renames a summary.json that cannot be read. Returns the reason and its new name; undefined for an intact one. */
  setAsideSummary(): { problem: UserError; name: string } | undefined {
    const problems: UserError[] = [];
    readSummary(this.folder, (problem) => problems.push(problem));
    const [problem] = problems;
    return problem && { problem, name: basename(setAside(this.folder, layout.summaryFile(this.folder))) };
  }

  /** Returns to a checkpoint (null: to the beginning): later records and checkpoints are deleted. */
  rollBack(to: CheckpointEntry | null): void {
    const seq = to?.seq ?? 0;
    const at = this.current.checkpoints.findIndex(({ name }) => name === to?.name);
    if (to && at < 0) throw new Error(`${to.name} is not a checkpoint of ${this.folder}`);
    this.publish(this.current.checkpoints, this.current.checkpoints.slice(at + 1));
    for (const file of layout.recordFiles(this.folder)) truncateAfter(this.folder, file, seq);
    this.unflushed.clear();
    const rows = readSummary(this.folder);
    const earlier = rows.filter((row) => (row.seq ?? 0) <= seq);
    if (earlier.length < rows.length) this.writeSummary(earlier);
    this.seq = seq;
  }

  /** Closes the run after a last change of its state. */
  close(change?: Pick<RunRecord, 'state' | 'reason' | 'spent'>): void {
    try {
      if (change) this.update({ reason: undefined, ...change });
    } finally {
      this.lock.release();
    }
  }

  private append<T extends object>(file: string, records: readonly T[]): (T & { seq: number })[] {
    if (records.length === 0) return [];
    this.lock.check();
    const numbered = records.map((record, i) => Object.assign({ seq: 0 }, record, { seq: this.seq + 1 + i }));
    guardDisk(file, 'every earlier line is kept', () => makeFolder(this.folder, dirname(file)));
    appendLines(this.folder, file, numbered);
    this.seq += records.length;
    this.unflushed.add(file);
    return numbered;
  }

  /**
   * Flushes everything that a checkpoint relies on: the lines up to its seq, and the directory entries of their files.
   */
  private flushRecords(): void {
    const folders = new Set<string>();
    for (const file of this.unflushed)
      for (let folder = dirname(file); folder.length >= this.folder.length; folder = dirname(folder))
        folders.add(folder);
    guardDisk(this.folder, 'the earlier checkpoints are kept', () => {
      for (const file of this.unflushed) flushFile(this.folder, file);
      folders.forEach(flushFolder);
    });
    this.unflushed.clear();
  }

  /** Makes `all` except `old` the run's checkpoints, in one change of run.json; then deletes the folders of `old`. */
  private publish(
    all: readonly CheckpointEntry[],
    old: readonly CheckpointEntry[],
    at?: { stage: StageName; step: number },
  ): void {
    const pending = old.map(({ name }) => name);
    const checkpoints = all.filter((entry) => !old.includes(entry));
    if (at || pending.length > 0) this.update({ ...at, checkpoints, pending });
    for (const name of pending) deleteCheckpointFolder(this.folder, name);
    this.current = { ...this.current, pending: undefined }; // written with the next change
  }

  /** The fields in the order of the schema, in which they are read: writing what was read changes nothing. */
  private writeSummary(rows: readonly StageRow[]): void {
    const fields = Object.keys(stageRowSchema.shape) as (keyof StageRow)[];
    const inOrder = (row: StageRow) => Object.fromEntries(fields.map((field) => [field, row[field]]));
    const text = `[\n${rows.map((row) => `  ${encode(inOrder(row))}`).join(',\n')}\n]\n`;
    replaceText(this.folder, layout.summaryFile(this.folder), text);
  }
}

/** Nine digits distinguish any two float32 values. */
function shorten(value: number): number {
  return Number(value.toPrecision(9));
}

function thisHost(): RunRecord['host'] {
  const { machine, ...mine } = thisProcess();
  return { ...mine, name: machine };
}

/** `20260205-140309-arithmetic`; a number is appended if that folder exists. */
function makeRunFolder(runsFolder: string, name: string, time: Date): string {
  makeFolder(runsFolder, runsFolder);
  const stamp = time.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const plain =
    name
      .toLowerCase()
      .replace(/[^a-z0-9._]+/g, '-')
      .replace(/^[-.]+|[-.]+$/g, '')
      .slice(0, 60) || 'run';
  for (let attempt = 1; ; attempt++) {
    const folder = join(runsFolder, `${stamp}-${plain}${attempt === 1 ? '' : `-${attempt}`}`);
    if (makeNewFolder(runsFolder, folder)) return folder;
    if (attempt === 10_000) throw new UserError('too many runs with this name', { file: runsFolder, code: 'run' });
  }
}
