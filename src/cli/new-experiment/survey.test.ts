/** Budgets for chains of very different lengths: every row that fits is used. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { roundedUp } from '../../data/lengths';
import { packageRoot } from '../../paths';
import { loadStudentTokenizer } from '../../student-files/folder';
import { surveyDataset } from './survey';

const tokenizer = loadStudentTokenizer(join(packageRoot(), 'examples/arithmetic/student'));
const survey = async (name: string, maxPositions: number) => {
  const student = { maxPositions, tokenizer, builtIn: false };
  return (await surveyDataset(join(packageRoot(), 'test/fixtures/data', name), { quiet: true }, student))!;
};

test.each([
  // Twenty of them are thirty times as long as the others.
  ['mix200.jsonl', 200, undefined],
  // Thousands of tokens of thinking before two short steps.
  ['r1_12.jsonl', 12, 'cut'],
])('%s', async (name, rows, thinking) => {
  const { budgets, ...found } = await survey(name, 8192); // SmolLM2's positions
  expect(found.notes.filter((note) => note.includes('skipped'))).toEqual([]);
  expect([budgets.measured, budgets.table.at(-1)!.rows]).toEqual([rows, rows]);
  // The longest chain is measured whole.
  expect(budgets.table).toContainEqual({ tokens: roundedUp(found.lengths.chain), rows });
  expect(found.thinking).toBe(thinking);
  expect(found.lengths.chain).toBeLessThan(8192);
});

test('chains that the student cannot hold are counted, and fit no budget of the stages', async () => {
  const { budgets, lengths, notes } = await survey('mix200.jsonl', 512);
  expect(notes).toContainEqual(expect.stringMatching(/^20 of 200 rows .* longer than the student's 512 positions/));
  expect(budgets.completion).toBeLessThan(512);
  expect(budgets.table.find(({ tokens }) => tokens === budgets.completion)!.rows).toBe(180);
  expect(budgets.table.at(-1)).toEqual({ tokens: roundedUp(lengths.chain), rows: 200 });
});
