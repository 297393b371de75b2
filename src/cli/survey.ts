/** What has to be known of a dataset to write an experiment for it: its format, its rows, how long its chains are. */

import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type Lesson, prepareLessons } from '../curriculum/lessons';
import { type Lengths, longestOf } from '../curriculum/memory';
import type { SettledColumns } from '../data/columns';
import type { Dataset } from '../data/dataset';
import { filesOf } from '../data/files';
import { datasetNotes } from '../data/notes';
import { withoutOtherAnswers } from '../data/other-answers';
import { chainsIn, type Problems, spread } from '../data/problems';
import { sameQuestionNotes } from '../data/same-questions';
import type { Problem } from '../data/types';
import { UserError } from '../errors';
import { loadStudentConfig } from '../student-files/folder';
import type { Tokenizer } from '../student-files/tokenizer';
import { type DatasetOptions, type FileSource, loadAsked, sourceOf } from './dataset';
import { percent } from './format';
import { shown } from './places';

/** A part of a dataset, absolute path. */
export type Part = Omit<FileSource, 'start'> & { start?: number };

export interface Survey {
  train: Part;
  test: Part;
  /** Training rows, the validation rows among them. */
  rows: number;
  validation: number;
  testRows: number;
  /** Whether any training row has a teacher chain: without, there is nothing for Stage 1 and 3 to learn from. */
  chains: boolean;
  /** Which column of the training data holds what, where that was guessed or told. */
  columns?: SettledColumns;
  /** Budget of new tokens for answers: what nearly all teacher chains need, and some more. */
  maxNewTokens: number;
  /** The longest rows, as a run measures them. */
  lengths: Lengths;
  /** What the user should know. */
  notes: string[];
}

/** Tokens that the built-in student's answers need before it has learned to be short, whatever the teacher's chains need. */
const wordyAnswer = 320;

/** At most so many rows, of so many characters, are tokenized to learn how long chains are. */
const measured = 1000;
const measuredSize = 500_000;

/** Null where somebody says that rows are not to be left out. */
export async function surveyDataset(
  data: string,
  { test, quiet, ...options }: DatasetOptions & { test?: string; quiet?: boolean },
  student: { folder: string; tokenizer: Tokenizer; wordy?: boolean },
): Promise<Survey | null> {
  const path = resolve(data);
  const dataset = await loadAsked(sourceOf(path, options), { quiet });
  if (!dataset) return null;
  const { problems } = dataset;
  const train = partOf(path, options, dataset);
  const testPath = test === undefined ? testBeside(path) : resolve(test);
  const notes: string[] = [];

  let rows = problems.length;
  let testPart: Part;
  let testProblems: Problems;
  if (testPath) {
    const asked = test === undefined ? { ...options, format: options.format ?? train.format } : options;
    const tested = await loadAsked(sourceOf(testPath, asked), { split: 'test', quiet });
    if (!tested) return null;
    testPart = partOf(testPath, asked, tested);
    testProblems = tested.problems;
    if (test === undefined) notes.push(`Tested on ${shown(testPath)}, which lies beside the data.`);
  } else {
    const last = Math.min(500, Math.max(1, Math.round(0.15 * rows)));
    rows -= last;
    testProblems = problems.slice(rows);
    train.count = rows;
    testPart = { ...train, start: rows, count: last };
  }
  if (rows < 2)
    throw new UserError(`${problems.length} rows are too few to train, choose and test on`, {
      file: data,
      code: 'dataset',
      remedy: 'Give at least 3 rows, better some hundreds.',
    });

  const chained = chainsIn(problems.slice(0, rows));
  const taught = [...withoutOtherAnswers(spread(problems, measured))].some(({ chain }) => chain !== undefined);
  if (chained === 0)
    notes.push(
      'No row has a teacher chain: Stage 1, Stage 3 and plain fine-tuning are off, and Stage 2 asks the plain question.',
    );
  else if (chained < rows)
    notes.push(`${rows - chained} of ${rows} rows have no teacher chain; only Stage 2 learns from those.`);
  const validation = Math.min(200, Math.max(1, Math.round(0.1 * rows)));
  notes.push(...datasetNotes(dataset));
  notes.push(...sameQuestionNotes(problems.slice(0, rows), testProblems, validation));
  const lessons = prepareLessons(measuredRows(problems), student.tokenizer);
  const fit = budget(lessons, student.folder, student.wordy ? wordyAnswer : 0);
  return {
    train,
    test: testPart,
    rows,
    testRows: testProblems.length,
    validation,
    chains: taught,
    ...(dataset.columns && { columns: dataset.columns }),
    maxNewTokens: fit.maxNewTokens,
    lengths: longestOf(problems, student.tokenizer),
    notes: [...notes, ...fit.notes],
  };
}

/** Rows spread over all. */
function measuredRows(problems: Problems): Problem[] {
  const some = spread(problems, 50);
  const size = some.reduce((sum, { question, chain = '' }) => sum + question.length + chain.length, 0) / some.length;
  return spread(problems, Math.max(50, Math.min(measured, Math.floor(measuredSize / size))));
}

/** How an experiment names the dataset: its columns as they were settled, so that they can be seen and changed. */
function partOf(path: string, options: DatasetOptions, { columns, bad }: Dataset): Part {
  const { start: _, ...source } = sourceOf(path, { ...options, skipBad: bad !== undefined });
  return { ...source, ...(columns && { columns }) } as Part;
}

/** `test.jsonl` beside `train.jsonl`, and the like; of a folder of shards, those of the test. */
function testBeside(path: string): string | null {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    return filesOf(path, 'test').join() === filesOf(path, 'train').join() ? null : join(path, '**', '*test*');
  const name = basename(path).replace(/train/i, 'test');
  const beside = join(dirname(path), name);
  return name !== basename(path) && existsSync(beside) ? beside : null;
}

/** A quarter more than 19 of 20 teacher chains need, and at least `least`, as far as the student's positions go. */
function budget(lessons: readonly Lesson[], folder: string, least: number) {
  const { maxPositions } = loadStudentConfig(folder);
  const chainOf = ({ teacherTokens }: Lesson) => teacherTokens?.length ?? 0;
  const lengths = lessons.map(chainOf).filter((length) => length > 0);
  const usual = lengths.sort((a, b) => a - b)[Math.floor(0.95 * lengths.length)] ?? 256;
  const room = maxPositions - Math.max(...lessons.map(({ prompt }) => prompt.length));
  const maxNewTokens = Math.max(16, Math.min(Math.max(least, 16 * Math.ceil((1.25 * usual) / 16)), room));
  // As a run has it: the question, the steps shown, and an answer as long as the chain or the budget.
  const needs = (lesson: Lesson) =>
    lesson.prompt.length + chainOf(lesson) + Math.max(chainOf(lesson), maxNewTokens) + 64;
  const tooLong = lessons.filter((lesson) => needs(lesson) > maxPositions).length;
  const share =
    lessons.length < measured
      ? `${tooLong} of ${lessons.length} rows`
      : `${percent(tooLong / lessons.length, 0)} of the rows`;
  const remedy = tooLong > 0.5 * lessons.length ? ' Choose a student with more positions, or shorter chains.' : '';
  const note = `${share} are longer than the student's ${maxPositions} positions allow and will be left out.${remedy}`;
  return { maxNewTokens, notes: tooLong > 0 ? [note] : [] };
}
