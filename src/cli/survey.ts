/** What has to be known of a dataset to write an experiment for it: its format, its rows, how long its chains are. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type Lesson, prepareLessons } from '../curriculum/lessons';
import { type Lengths, longestOf } from '../curriculum/memory';
import { type FileFormat, guessFormat } from '../data/guess';
import { loadData } from '../data/load';
import { notesOn } from '../data/notes';
import { withoutOtherAnswers } from '../data/other-answers';
import { sameQuestionNotes } from '../data/same-questions';
import type { Problem } from '../data/types';
import { UserError } from '../errors';
import { loadStudentConfig } from '../model/hf-folder';
import type { Tokenizer } from '../model/tokenizer';
import { percent } from './format';
import { shown } from './places';

/** A part of a file of problems, absolute path. */
export interface Part {
  format: FileFormat;
  path: string;
  start?: number;
  count?: number;
}

export interface Survey {
  train: Part;
  test: Part;
  /** Training rows, the validation rows among them. */
  rows: number;
  validation: number;
  testRows: number;
  /** Whether any training row has a teacher chain: without, there is nothing for Stage 1 and 3 to learn from. */
  chains: boolean;
  /** Budget of new tokens for answers: what nearly all teacher chains need, and some more. */
  maxNewTokens: number;
  /** The longest rows, as a run measures them. */
  lengths: Lengths;
  /** What the user should know. */
  notes: string[];
}

/** Tokens that the built-in student's answers need before it has learned to be short, whatever the teacher's chains need. */
const wordyAnswer = 320;

/** At most so many rows are tokenized to learn how long chains are. */
const measured = 1000;

export function surveyDataset(
  data: string,
  format: FileFormat | undefined,
  test: string | undefined,
  student: { folder: string; tokenizer: Tokenizer; wordy?: boolean },
): Survey {
  const path = resolve(data);
  const train: Part = { format: format ?? guessFormat(path), path };
  const kept = withoutOtherAnswers(loadData({ ...train, start: 0 }, '.').problems);
  const { problems } = kept;
  const testPath = test === undefined ? testBeside(path) : resolve(test);
  const notes: string[] = [];

  let rows = problems.length;
  let testPart: Part;
  let testProblems: readonly Problem[];
  if (testPath) {
    testPart = { format: test === undefined ? train.format : guessFormat(testPath), path: testPath };
    testProblems = loadData({ ...testPart, start: 0 }, '.').problems;
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

  const chained = problems.slice(0, rows).filter(({ chain }) => chain !== undefined).length;
  if (chained === 0)
    notes.push(
      'No row has a teacher chain: Stage 1, Stage 3 and plain fine-tuning are off, and Stage 2 asks the plain question.',
    );
  else if (chained < rows)
    notes.push(`${rows - chained} of ${rows} rows have no teacher chain; only Stage 2 learns from those.`);
  const validation = Math.min(200, Math.max(1, Math.round(0.1 * rows)));
  notes.push(...notesOn(problems), ...kept.notes);
  notes.push(...sameQuestionNotes(problems.slice(0, rows), testProblems, validation));
  const lessons = prepareLessons(problems.slice(0, measured), student.tokenizer);
  const fit = budget(lessons, student.folder, student.wordy ? wordyAnswer : 0);
  return {
    train,
    test: testPart,
    rows,
    testRows: testProblems.length,
    validation,
    chains: chained > 0,
    maxNewTokens: fit.maxNewTokens,
    lengths: longestOf(problems, student.tokenizer),
    notes: [...notes, ...fit.notes],
  };
}

/** `test.jsonl` beside `train.jsonl`, and the like. */
function testBeside(path: string): string | null {
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
