import { basename } from 'node:path';
import type { Dataset } from '../data/dataset';
import { guessFormat } from '../data/guess';
import { loadData } from '../data/load';
import { UserError } from '../errors';
import { yieldToEventLoop } from '../event-loop';
import { createRun } from '../runs/writer';
import { describeFailure, recordedAnswer } from './describe';

export interface ImportedCases {
  /** The folder of the created run. */
  folder: string;
  cases: number;
  categories: Record<string, number>;
  /** Cases whose first wrong step was found. */
  located: number;
}

/** Cases per time slice, so that an editor stays responsive. */
const atOnce = 8;

/**
 * Turns a file of recorded answers (BRIDGE's stage3_error_samples.json, or chains with `student`) into a finished run
 * whose cases every view can open. Nothing is trained, and no student is needed. `progress` receives the number of
 * finished cases and of all; `data` is the file's content if it was read before.
 * @throws UserError when the file is missing, rows cannot be read, or there are no recorded answers
 */
export async function importCases(
  file: string,
  runsFolder: string,
  progress: (done: number, all: number) => void = () => {},
  data: Dataset = loadData({ format: guessFormat(file), path: file, start: 0 }, '.'),
): Promise<ImportedCases> {
  const problems = data.problems.filter(({ student }) => student);
  if (problems.length === 0)
    throw new UserError("no row has a student's answer", {
      file,
      code: 'dataset',
      remedy: 'Use BRIDGE\'s stage3_error_samples.json, or rows with "student": {"text": ..., "tokens"?: ...}.',
    });
  const records = [];
  const categories: Record<string, number> = {};
  for (const problem of problems) {
    const record = describeFailure(problem, [recordedAnswer(problem)!], basename(file));
    records.push(record);
    categories[record.category] = (categories[record.category] ?? 0) + 1;
    if (records.length % atOnce === 0) {
      progress(records.length, problems.length);
      await yieldToEventLoop();
    }
  }
  const name = `cases-${basename(file).replace(/(\.chains)?\.[^.]*$/, '')}`;
  const run = createRun(runsFolder, name, {
    imported: { file: data.file, format: data.format, columns: data.columns, rows: data.problems.length },
    environment: { node: process.version, datasets: { train: data.hash } },
  });
  try {
    run.failures(records);
    run.close({ state: 'finished', reason: `imported from ${basename(file)}; nothing was trained` });
  } catch (error) {
    run.close();
    throw error;
  }
  const located = records.filter(({ firstWrongStep }) => firstWrongStep).length;
  return { folder: run.folder, cases: records.length, categories, located };
}
