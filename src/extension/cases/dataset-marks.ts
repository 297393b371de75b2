/** The student's answers to the rows of a dataset: the last ones in the newest run that uses the file. */
import { resolve } from 'node:path';
import { sameAnswer } from '../../answers/equal';
import type { RunListing } from '../../runs/reading';
import type { AnswerRecord } from '../../runs/records';
import type { RunCache } from '../workspace/run-cache';
import type { DatasetRow } from './dataset-rows';
import { experimentOf, lastAnswers } from './known-problems';

/** An answer and its source. */
interface KnownAnswer {
  record: AnswerRecord;
  /** The checkpoint of the evaluation, or "failure" for a training problem that is a failure case. */
  source: string;
  gold: string;
  /** The number of right answers to a failure, and of all answers. */
  share?: [right: number, all: number];
}

export interface KnownAnswers {
  run: string;
  answers: ReadonlyMap<string, KnownAnswer>;
}

/** Runs that are searched, newest first. */
const mostRuns = 20;

/** The answers of the newest run that uses this file and has answers for it; undefined if there is none. */
export function answersTo(file: string, listings: readonly RunListing[], cache: RunCache): KnownAnswers | undefined {
  let looked = 0;
  for (const listing of listings) {
    if (!('run' in listing) || looked++ >= mostRuns) continue;
    const run = listing.folder;
    const data = experimentOf(cache, run)?.data;
    const names = (split: 'train' | 'test') => {
      const source = data?.[split] as { path?: string } | undefined;
      return source?.path !== undefined && resolve(source.path) === resolve(file);
    };
    if (!names('train') && !names('test')) continue;
    const answers = new Map<string, KnownAnswer>();
    if (names('train'))
      for (const { problemId, samples, answer } of cache.failures(run).value ?? []) {
        const record = samples.find(({ correct }) => !correct) ?? samples[0];
        const right = samples.filter(({ correct }) => correct).length;
        if (record) answers.set(problemId, { record, source: 'failure', gold: answer, share: [right, samples.length] });
      }
    for (const [problemId, { record, evaluation }] of lastAnswers(run))
      answers.set(problemId, { record, source: evaluation, gold: record.gold });
    if (answers.size > 0) return { run, answers };
  }
  return undefined;
}

export interface DatasetMark {
  line: number;
  problemId: string;
  right: boolean;
  /** "60, not 57 · 191 tokens". */
  text: string;
  answer: KnownAnswer;
}

/** The marks of these rows. A row whose reference answer has changed since gets none. */
export function datasetMarks(rows: readonly DatasetRow[], { answers }: KnownAnswers): DatasetMark[] {
  return rows.flatMap(({ line, problemId, answer: gold }) => {
    const answer = answers.get(problemId);
    if (!answer || (gold !== undefined && !sameAnswer(gold, answer.gold))) return [];
    return [{ line, problemId, right: answer.record.correct, text: markText(answer), answer }];
  });
}

function markText({ record, share, gold }: KnownAnswer): string {
  const parts = [verdictOn(record, gold), `${record.tokens} ${record.unit ?? 'tokens'}`];
  if (share && share[1] > 1) parts.push(`${share[0]} of ${share[1]} right`);
  return parts.join(' · ');
}

function verdictOn({ correct, answer, finished }: AnswerRecord, gold: string): string {
  if (correct) return 'right';
  if (!finished) return 'cut off';
  return answer === null ? 'no answer' : `${answer}, not ${gold}`;
}
