/** Problems that a run knows besides its failures: its data, and the answers of its evaluations. */
import { type Experiment, experimentSchema } from '../../config/experiment';
import type { Problem } from '../../data/types';
import { readRecords } from '../../runs/jsonl';
import { evaluationFile } from '../../runs/layout';
import { evaluationNames } from '../../runs/reading';
import { type EvaluationRecord, evaluationRecordSchema } from '../../runs/records';
import { attempt, cached } from '../workspace/file-cache';
import { loadNamedData } from '../workspace/named-files';
import type { RunCache } from '../workspace/run-cache';

/** A run's experiment. Undefined where its config does not have one (imported cases, runs of another host). */
export function experimentOf(cache: RunCache, run: string): Experiment | undefined {
  const config = cache.config(run).value as { experiment?: Experiment } | undefined;
  return config?.experiment;
}

/** Reads the training problems on first use, and the test problems when one is not found there. */
export function problemFinder(run: string, data: unknown): (id: string) => Problem | undefined {
  const sources = experimentSchema().shape.data.safeParse(data).data;
  const known = new Map<string, Problem>();
  const unread: ('train' | 'test')[] = sources ? ['train', 'test'] : [];
  return (id) => {
    for (let split = unread[0]; split !== undefined && !known.has(id); split = unread[0]) {
      unread.shift();
      const read = attempt(run, () => loadNamedData(sources![split], run, split).problems);
      // Where the data was moved, the problem is shown from the records alone.
      for (const problem of read.value ?? []) known.set(problem.id, problem);
    }
    return known.get(id);
  };
}

/** For the last run asked about, as a dataset may be large. */
let known: { run: string; find: ReturnType<typeof problemFinder> } | undefined;

/** The problem in the run's data. Undefined where the data is gone or lacks it. */
export function problemOf(cache: RunCache, run: string, problemId: string): Problem | undefined {
  if (known?.run !== run) known = { run, find: problemFinder(run, experimentOf(cache, run)?.data) };
  return known.find(problemId);
}

const answersOf = cached((file, damage) => {
  const answers = new Map<string, EvaluationRecord>();
  for (const record of readRecords(file, evaluationRecordSchema, damage)) answers.set(record.problemId, record);
  return answers;
}, 16);

export interface EvaluationAnswer {
  record: EvaluationRecord;
  /** The evaluation's name, which is the checkpoint's. */
  evaluation: string;
}

/** The newest evaluated answer to each problem. Unreadable files are skipped. */
export function lastAnswers(run: string): Map<string, EvaluationAnswer> {
  const last = new Map<string, EvaluationAnswer>();
  for (const evaluation of evaluationNames(run))
    for (const [problemId, record] of answersOf(evaluationFile(run, evaluation)).value ?? [])
      if ((last.get(problemId)?.record.seq ?? -1) < record.seq) last.set(problemId, { record, evaluation });
  return last;
}

/** The answer of each evaluation to the problem, newest first. Unreadable files are skipped. */
export function testedAnswers(run: string, problemId: string): EvaluationAnswer[] {
  return evaluationNames(run)
    .flatMap((evaluation) => {
      const record = answersOf(evaluationFile(run, evaluation)).value?.get(problemId);
      return record ? [{ record, evaluation }] : [];
    })
    .sort((a, b) => b.record.seq - a.record.seq);
}
