/** Facts about a dataset that are needed to write an experiment for it: format, rows, lengths of chains. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type Workload, workloadOf } from '../../curriculum/duration';
import { closingTag } from '../../curriculum/lessons/completions';
import { type Lesson, prepareLessons } from '../../curriculum/lessons/lessons';
import { type Lengths, longestOf } from '../../curriculum/training/memory';
import type { SettledColumns } from '../../data/columns';
import type { Dataset } from '../../data/dataset';
import { filesOf } from '../../data/files';
import { datasetNotes } from '../../data/notes';
import { withoutOtherAnswers } from '../../data/other-answers';
import { chainsIn, type Problems, sample, spread } from '../../data/problems';
import { sameQuestionNotes } from '../../data/same-questions';
import { rowsOf } from '../../data/sources/kind';
import { taughtProblems, thinkingIn } from '../../data/taught';
import { UserError } from '../../errors';
import { findDataset, namedDataset } from '../../hub/cache';
import { datasetNameText, splitOfDataset } from '../../hub/dataset-name';
import { statOf } from '../../paths';
import type { Tokenizer } from '../../student-files/tokenizer';
import { counting, type DatasetOptions, datasetSource, type FileSource, loadAsked, sourceAt } from '../inputs/dataset';
import { shortPath } from '../inputs/places';
import { type Budgets, budgetsFor, type PromptedStudent } from './budgets';

/** A part of a dataset; `path` is absolute, or the name of a dataset of the Hub. */
export type DatasetPart = Omit<FileSource, 'start'> & { start?: number };

export interface Survey {
  train: DatasetPart;
  test: DatasetPart;
  /** Training rows, including the validation rows. */
  rows: number;
  validation: number;
  testRows: number;
  /** Whether any training row has a teacher chain; without chains Stages 1 and 3 have no targets. */
  chains: boolean;
  /** The role of each column of the training data, if columns were guessed or given. */
  columns?: SettledColumns;
  budgets: Budgets;
  /** Whether the thinking in chains is kept or cut, where there is any. */
  thinking?: 'keep' | 'cut';
  /** The longest rows, as a run measures them. */
  lengths: Lengths;
  work: Workload;
  /** Notes for the user. */
  notes: string[];
}

/** The rows that are tokenized to measure the chains. */
const measured = { rows: 1000, characters: 300_000, least: 20 };

/** Null when the user declines to skip rows. */
export async function surveyDataset(
  data: string,
  { test, quiet, ...options }: DatasetOptions & { test?: string; quiet?: boolean },
  student: PromptedStudent,
): Promise<Survey | null> {
  const asking = { ...options, json: quiet };
  const dataset = await loadAsked(await datasetSource(data, asking), { quiet });
  if (!dataset) return null;
  const { problems } = dataset;
  const { train: trainPath, test: testPath } = test === undefined ? withTest(data) : { train: data, test };
  const train = partOf(trainPath, options, dataset);
  const notes: string[] = [];

  let rows = problems.length;
  let testPart: DatasetPart;
  let testProblems: Problems;
  if (testPath) {
    const asked = test === undefined ? { ...asking, format: options.format ?? train.format } : asking;
    const tested = await loadAsked(await datasetSource(testPath, asked), { split: 'test', quiet });
    if (!tested) return null;
    testPart = partOf(testPath, asked, tested);
    testProblems = tested.problems;
    if (test === undefined) notes.push(testedOn(testPath, data));
  } else {
    const last = Math.min(500, Math.max(1, Math.round(0.15 * rows)));
    rows -= last;
    testProblems = problems.slice(rows);
    train.count = rows;
    testPart = { ...train, start: rows, count: last };
  }
  if (rows < 2)
    throw new UserError(`${problems.length} rows are too few for training, validation and test`, {
      file: data,
      code: 'dataset',
      remedy: 'Use at least 3 rows, preferably some hundreds.',
    });

  const chained = chainsIn(problems.slice(0, rows));
  const taught = [...withoutOtherAnswers(spread(problems, measured.rows))].some(({ chain }) => chain !== undefined);
  if (chained === 0)
    notes.push(
      'No row has a teacher chain: Stage 1, Stage 3 and plain ' +
        'fine-tuning are off, and Stage 2 uses the plain question.',
    );
  else if (chained < rows)
    notes.push(`${rows - chained} of ${rows} rows have no teacher chain; only Stage 2 uses those.`);
  const validation = Math.min(200, Math.max(1, Math.round(0.1 * rows)));
  const thinking = thinkingRule(problems, student.tokenizer);
  notes.push(...datasetNotes(dataset, { thinking: thinking?.rule }));
  notes.push(...sameQuestionNotes(problems.slice(0, rows), testProblems, validation));
  if (thinking) notes.push(thinking.note);
  const learned = taughtProblems(problems, { otherAnswers: 'keep', thinking: thinking?.rule ?? 'keep' });
  const lessons = measuredLessons(learned, student.tokenizer, quiet);
  const budgets = budgetsFor(lessons, student);
  return {
    train,
    test: testPart,
    rows,
    testRows: testProblems.length,
    validation,
    chains: taught,
    ...(dataset.columns && { columns: dataset.columns }),
    budgets,
    ...(thinking && { thinking: thinking.rule }),
    lengths: longestOf(learned, student.tokenizer),
    work: workloadOf(learned, testProblems.length, student.tokenizer, lessons),
    notes: [...notes, ...budgets.notes],
  };
}

/**
 * A student that thinks before it answers learns the teacher's thinking too; others learn the solution alone. Null if
 * no chain has thinking.
 */
function thinkingRule(problems: Problems, tokenizer: Tokenizer): { rule: 'keep' | 'cut'; note: string } | null {
  const { chains, thinking, bare } = thinkingIn(problems);
  if (thinking === 0) return null;
  const found = `${thinking} of ${chains} examined teacher chains have thinking before the solution.`;
  if (closingTag(tokenizer)) {
    const note = `${found} It is kept, as this student thinks too; "data": {"thinking": "cut"} removes it.`;
    return { rule: 'keep', note };
  }
  if (bare === thinking) {
    const only = `${thinking} of ${chains} examined teacher chains have thinking and only the answer after it.`;
    return { rule: 'cut', note: `${only} The thinking is used as the solution.` };
  }
  const alone =
    bare > 0 ? ` ${bare} of them have only the answer after it: there the thinking is used as the solution.` : '';
  const note = `${found} It is cut off ("data": {"thinking": "cut"}): the student learns the solutions.${alone}`;
  return { rule: 'cut', note };
}

/** The lessons of a sample, tokenized. */
function measuredLessons(problems: Problems, tokenizer: Tokenizer, quiet: boolean | undefined): Lesson[] {
  const lessons = prepareLessons(sample(problems, measured), tokenizer);
  const progress = counting((count) => `Measuring the chains … ${count} of ${lessons.length}`, quiet);
  for (const [i, lesson] of lessons.entries()) if (lesson.teacherTokens) progress.rows(i);
  progress.end();
  return lessons;
}

/** The dataset as written in an experiment, with its columns, so that they can be seen and changed. */
function partOf(text: string, options: DatasetOptions, { columns, bad, file, split }: Dataset): DatasetPart {
  const { start: _, ...source } = sourceAt(file!, { ...options, skipBad: bad !== undefined });
  const path = namedDataset(text, '.') ? text : file!;
  return { ...source, path, ...(split && { split }), ...(columns && { columns }) } as DatasetPart;
}

const testedOn = (test: string, data: string) =>
  resolve(test) === resolve(data)
    ? 'Tested on the test split of the data.'
    : `Tested on ${namedDataset(test, '.') ? test : shortPath(test)}, which is beside the data.`;

/** The data, and test data found beside it. */
function withTest(data: string): { train: string; test: string | null } {
  const name = namedDataset(data, '.');
  if (!name) return { train: data, test: testBeside(resolve(data)) };
  const [train, test] = (['train', 'test'] as const).map((split) => splitOfDataset(name, split));
  return findDataset(train) && findDataset(test)
    ? { train: datasetNameText(train), test: datasetNameText(test) }
    : { train: data, test: null };
}

/**
 * `test.jsonl` beside `train.jsonl`, and the like; of a folder of shards, and of a file with parts, those of the test.
 */
function testBeside(path: string): string | null {
  const stat = statOf(path);
  if (stat?.isDirectory()) {
    const tests = filesOf(path, 'test');
    if (tests.join() === filesOf(path, 'train').join()) return null;
    // The split may be the name of a folder instead (save_to_disk, the Hub's own Parquet files).
    return tests.every((file) => basename(file).includes('test')) ? join(path, '**', '*test*') : path;
  }
  if (stat?.isFile() && rowsOf(path, 'test').split === 'test') return path;
  const name = basename(path).replace(/train/i, 'test');
  const beside = join(dirname(path), name);
  return name !== basename(path) && existsSync(beside) ? beside : null;
}
