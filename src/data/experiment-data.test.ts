import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DataSource, Experiment } from '../config/experiment';
import { UserError } from '../errors';
import { packageRoot } from '../paths';
import { loadExperimentData } from './experiment-data';
import { plainQuestion } from './problems';
import { sameQuestionNotes } from './same-questions';

const file = (name: string) => join(packageRoot(), 'test/fixtures/data', name);
const rows = (name: string, start = 0, count?: number): DataSource => ({
  format: 'chains',
  path: file(name),
  start,
  ...(count !== undefined && { count }),
});

function load(data: Partial<Experiment['data']> & Pick<Experiment['data'], 'train'>, source = 'student') {
  const { test = rows('qa.chains.jsonl', 0, 1), validation = 1, otherAnswers = 'drop' } = data;
  const stages = { reconstruct: false, complete: false, rewrite: { failures: { source } } };
  return loadExperimentData({ data: { ...data, test, validation, otherAnswers }, stages } as Experiment);
}

test('chains that end in another answer are dropped and reported, but their questions stay', () => {
  const { train, notes } = load({ train: rows('wrongchain.jsonl', 0, 170), test: rows('wrongchain.jsonl', 170) });
  expect(train.problems).toHaveLength(170);
  expect(train.problems.filter(({ chain }) => chain === undefined)).toHaveLength(85);
  expect(train.problems.at(0)).toMatchObject({ id: 'p0', answer: '180' });
  expect(notes).toContainEqual(
    expect.stringMatching(/^train data: 85 of 170 teacher chains end in another answer .*p0: 187, not 180.* dropped/),
  );
});

test('or kept unchanged if the experiment says so', () => {
  const { train, notes } = load({ train: rows('wrongchain.jsonl'), otherAnswers: 'keep' });
  expect(train.problems.at(0)!.chain).toMatch(/Answer: 187$/);
  expect(notes).toContainEqual(expect.stringMatching(/100 of 200 teacher chains.*kept unchanged/));
});

test('a test question that is also a training question is reported, whatever its id', () => {
  const { notes } = load({ train: rows('leak.jsonl', 0, 170), test: rows('leak.jsonl', 170) });
  expect(notes).toContainEqual(expect.stringMatching(/^30 of 30 test questions are training questions, too/));
});

test('a question with two answers is reported', () => {
  const { notes } = load({ train: rows('conflict.jsonl') });
  expect(notes).toContainEqual(expect.stringMatching(/^\d+ of 199 training rows repeat a question with another/));
});

test('questions are compared without case, spacing and punctuation, but with their numbers', () => {
  const same = [' How many  pens,\nin 3.5 boxes? ', 'how many pens in ３.5 boxes'];
  expect(plainQuestion(same[0])).toBe(plainQuestion(same[1]));
  expect(plainQuestion('What is 35?')).not.toBe(plainQuestion('What is 3.5?'));
  expect(plainQuestion('Is 3 < 4?')).not.toBe(plainQuestion('Is 3 > 4?'));
  const problem = (id: string, question: string) => ({ id, question, answer: '1' });
  expect(sameQuestionNotes([problem('a', 'One?'), problem('b', 'one')], [], 1)).toEqual([
    expect.stringMatching(/^1 of 1 validation questions are training questions, too \(b is a\)/),
  ]);
});

test("recorded answers are a student's own only where the experiment says so", () => {
  const recorded = rows('recorded.chains.jsonl');
  expect(load({ train: recorded }).notes).toContainEqual(expect.stringMatching(/^1 training rows have a recorded/));
  expect(load({ train: recorded }, 'data').notes.join()).not.toMatch(/recorded/);
  expect(() => load({ train: rows('qa.chains.jsonl') }, 'data')).toThrow(UserError);
});
