/**
 * decisions.jsonl: appended by editors, even while a host writes other files of the run; read before training Stage 3.
 */
import fs from 'node:fs';
import { guardDisk } from '../disk';
import { UserError } from '../errors';
import type { Damage } from '../lines';
import { plural } from '../words';
import { createFile, remove } from '../writing';
import { appendLines, readRecords } from './jsonl';
import { decisionsFile } from './layout';
import { type DecisionRecord, decisionRecordSchema, type RewriteDecision } from './records';

/** The effective decisions of people about the cases of a run. */
export interface Decisions {
  /** Problems added to Stage 3, with their question at that time. */
  picked: Map<string, string>;
  /** By problem: every judged or proposed text in the order of its first line, with its last verdict. */
  rewrites: Map<string, RewriteDecision[]>;
  /** By problem: the answer and its step (both from 0) marked as the first wrong one. */
  steps: Map<string, MarkedStep>;
  /** By problem. */
  notes: Map<string, string>;
  /** Problems marked as read. */
  read: Set<string>;
}

export interface MarkedStep {
  sample: number;
  step: number;
  /** The text of the marked step, and the question at that time. */
  text?: string;
  question: string;
}

/** Every readable line, oldest first; none if there is no file. Unreadable lines are reported to `damage`. */
export function readDecisions(run: string, damage: Damage = () => {}): DecisionRecord[] {
  return readRecords(decisionsFile(run), decisionRecordSchema, damage);
}

/** The decisions of several runs, in this order; `warn` receives a text if some cannot be read. */
export function readableDecisions(runs: readonly string[], warn: (text: string) => void): DecisionRecord[] {
  const problems: UserError[] = [];
  const records = runs.flatMap((run) => readDecisions(run, (problem) => void problems.push(problem)));
  const [first] = problems;
  if (first) {
    const skipped = first.line === undefined ? 'decisions' : plural(problems.length, 'decision');
    warn(`${skipped} skipped: ${[first.file, first.line].filter(Boolean).join(':')}: ${first.message}`);
  }
  return records;
}

/** Evaluates the lines: the last one about a problem or a text counts. */
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

/** A decision without a date. */
export type NewDecision = DecisionRecord extends infer T ? (T extends DecisionRecord ? Omit<T, 'time'> : never) : never;

/** Appends decisions. A lock file serializes several windows. */
export function appendDecisions(run: string, decisions: readonly NewDecision[]): void {
  const file = decisionsFile(run);
  const time = new Date().toISOString();
  withLock(run, () =>
    appendLines(
      run,
      file,
      decisions.map((decision) => ({ time, ...decision })),
    ),
  );
}

/** Copies the readable decisions of another run to a new one; the new run's own decisions come after them. */
export function copyDecisions(from: string, run: string, warn: (text: string) => void): void {
  const decisions = readableDecisions([from], warn);
  if (decisions.length > 0) withLock(run, () => appendLines(run, decisionsFile(run), decisions));
}

/** An older lock belongs to a killed process, as writing a line takes milliseconds. */
const staleMs = 5_000;
const attempts = 200;

function withLock(run: string, write: () => void): void {
  const lock = `${decisionsFile(run)}.lock`;
  const take = () => guardDisk(lock, 'the decision was not saved', () => createFile(run, lock, ''));
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
