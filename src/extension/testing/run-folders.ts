/** Writes run folders for tests of their readers: fast, in any number, and in any state of damage. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EvaluationRecord, FailureRecord, RunRecord, StageRow } from '../../runs/records';
import type { StageName } from '../../stages';

export const time = '2026-02-05T14:03:09.000Z';

export function writeRun(runs: string, id: string, change: Partial<RunRecord> = {}): string {
  const folder = join(runs, id);
  mkdirSync(folder, { recursive: true });
  const record: RunRecord = {
    format: 1,
    id,
    name: 'sums',
    state: 'finished',
    created: time,
    updated: time,
    host: { pid: 1, startTime: 'long ago', name: 'elsewhere' },
    checkpoints: [],
    ...change,
  };
  writeFileSync(join(folder, 'run.json'), JSON.stringify(record));
  return folder;
}

export function stageRow(stage: StageName, change: Partial<StageRow> = {}): StageRow {
  return {
    stage,
    accuracy: 0.704,
    accuracyInterval: [0.67, 0.73],
    meanTokens: 198.3,
    n: 1000,
    wallSeconds: 60,
    ...change,
  };
}

export const writeSummary = (run: string, rows: readonly StageRow[]) =>
  writeFileSync(join(run, 'summary.json'), JSON.stringify(rows));

export function failure(seq: number, change: Partial<FailureRecord> = {}): FailureRecord {
  const sample = { text: 'Step 1: 2 + 3 = 6\nAnswer: 6', answer: '6', correct: false, finished: true, tokens: 12 };
  return {
    seq,
    problemId: `train-${seq}`,
    question: 'What is 2 + 3?',
    answer: '5',
    samples: [sample],
    category: 'arithmetic slip',
    source: 'complete-10',
    firstWrongStep: { sample: 0, step: 0, text: '2 + 3 = 6', reason: '2 + 3 is 5, not 6' },
    ...change,
  };
}

export const writeFailures = (run: string, records: readonly FailureRecord[]) =>
  writeFileSync(join(run, 'failures.jsonl'), lines(records));

export function writeEvaluation(run: string, name: string, records: readonly Omit<EvaluationRecord, 'seq'>[]): void {
  mkdirSync(join(run, 'evaluations'), { recursive: true });
  writeFileSync(join(run, 'evaluations', `${name}.jsonl`), lines(records.map((record, seq) => ({ seq, ...record }))));
}

const lines = (records: readonly object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('');
