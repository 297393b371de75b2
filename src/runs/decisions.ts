/**
 * decisions.jsonl: appended by editors, while a host may be writing the rest of the run; read by whoever trains Stage
 * 3.
 */
import fs from 'node:fs';
import { guardDisk } from '../disk';
import { UserError } from '../errors';
import type { Damage } from '../lines';
import { createFile, remove } from '../writing';
import { appendLines, readRecords } from './jsonl';
import { decisionsFile } from './layout';
import { type DecisionRecord, decisionRecordSchema, type RewriteDecision } from './records';

/** What people decided about the cases of a run, as it stands. */
export interface Decisions {
  /** Problems that Stage 3 is to take, with the question they were picked for. */
  picked: Map<string, string>;
  /**
   * By problem: every text that was decided on or proposed, in the order of its first line, each by its last verdict.
   */
  rewrites: Map<string, RewriteDecision[]>;
  /** By problem: the answer and its step, both from 0, that a person marked as the first wrong one. */
  steps: Map<string, MarkedStep>;
  /** By problem. */
  notes: Map<string, string>;
  /** Problems that were read. */
  read: Set<string>;
}

export interface MarkedStep {
  sample: number;
  step: number;
  /** What the step says, and the question that it was marked for. */
  text?: string;
  question: string;
}

/** Every line, oldest first; none if there is no file. */
export function readDecisions(run: string, damage?: Damage): DecisionRecord[] {
  return readRecords(decisionsFile(run), decisionRecordSchema, damage);
}

/** What the lines amount to: the last about a problem or a text counts. */
export function decisionsOf(records: readonly DecisionRecord[]): Decisions {
  const picked = new Map<string, string>();
  const rewrites = new Map<string, Map<string, RewriteDecision>>();
  const steps = new Map<string, MarkedStep>();
  const notes = new Map<string, string>();
  const read = new Set<string>();
  for (const record of records) {
    const { problemId } = record;
    switch (record.kind) {
      case 'pick':
        put(picked, problemId, record.picked ? record.question : undefined);
        break;
      case 'rewrite': {
        const ofProblem = rewrites.get(problemId) ?? new Map<string, RewriteDecision>();
        rewrites.set(problemId, ofProblem.set(record.text, record));
        break;
      }
      case 'step': {
        const { sample, step, text, question } = record;
        put(steps, problemId, step === null ? undefined : { sample, step, text, question });
        break;
      }
      case 'note':
        put(notes, problemId, record.text === '' ? undefined : record.text);
        break;
      case 'read':
        if (record.read) read.add(problemId);
        else read.delete(problemId);
    }
  }
  return {
    picked,
    rewrites: new Map([...rewrites].map(([id, texts]) => [id, [...texts.values()]])),
    steps,
    notes,
    read,
  };
}

function put<T>(into: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) into.delete(key);
  else into.set(key, value);
}

/** A decision that is not dated yet. */
export type NewDecision = DecisionRecord extends infer T ? (T extends DecisionRecord ? Omit<T, 'time'> : never) : never;

/** Appends decisions. Several windows may do so at once: a lock file beside the file lets one write at a time. */
export function appendDecisions(run: string, decisions: readonly NewDecision[], now = () => new Date()): void {
  const file = decisionsFile(run);
  const time = now().toISOString();
  withLock(run, () =>
    appendLines(
      run,
      file,
      decisions.map((decision) => ({ time, ...decision })),
    ),
  );
}

/** A run that begins takes over what was decided about the cases of another; what it was told itself comes after. */
export function takeOverDecisions(from: string, run: string): void {
  const decisions = readDecisions(from);
  if (decisions.length > 0) withLock(run, () => appendLines(run, decisionsFile(run), decisions));
}

/** A lock older than this belongs to a process that was killed: writing a line takes milliseconds. */
const staleMs = 5_000;
const attempts = 200;

function withLock(run: string, write: () => void): void {
  const lock = `${decisionsFile(run)}.lock`;
  const take = () => guardDisk(lock, 'nothing was decided', () => createFile(run, lock, ''));
  for (let i = 0; !take(); i++) {
    if (i === attempts)
      throw new UserError('another window is writing decisions about this run', {
        file: lock,
        code: 'locked',
        remedy: 'Try again; if no other window is open, delete this file.',
      });
    const stat = fs.lstatSync(lock, { throwIfNoEntry: false });
    if (stat && Date.now() - stat.mtimeMs > staleMs) remove(run, lock);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  }
  try {
    write();
  } finally {
    remove(run, lock);
  }
}
