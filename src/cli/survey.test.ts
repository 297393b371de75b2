/** Budgets for chains of very different lengths: no row that fits is left out. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { roundedUp } from '../data/lengths';
import { packageRoot } from '../paths';
import { loadStudentTokenizer } from '../student-files/folder';
import { surveyDataset } from './survey';

/** The built-in student's tokenizer, with the 8,192 positions of SmolLM2. */
const folder = mkdtempSync(join(tmpdir(), 'distillery-survey-'));
cpSync(join(packageRoot(), 'examples/arithmetic/student'), folder, { recursive: true });
const config = join(folder, 'config.json');
const settings = JSON.parse(readFileSync(config, 'utf8'));
const givePositions = (max_position_embeddings: number) =>
  writeFileSync(config, JSON.stringify(Object.assign(settings, { max_position_embeddings })));
const student = { folder, tokenizer: loadStudentTokenizer(folder), builtIn: false };
const survey = async (name: string) =>
  (await surveyDataset(join(packageRoot(), 'test/fixtures/data', name), { quiet: true }, student))!;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  // Twenty of them are thirty times as long as the others.
  ['mix200.jsonl', 200, undefined],
  // Thousands of tokens of thinking before two short steps.
  ['r1_12.jsonl', 12, 'cut'],
])('%s', async (name, rows, thinking) => {
  givePositions(8192);
  const { budgets, ...found } = await survey(name);
  expect(found.notes.filter((note) => note.includes('skipped'))).toEqual([]);
  expect([budgets.measured, budgets.table.at(-1)!.rows]).toEqual([rows, rows]);
  // The longest chain is measured whole.
  expect(budgets.table).toContainEqual({ tokens: roundedUp(found.lengths.chain), rows });
  expect(found.thinking).toBe(thinking);
  expect(found.lengths.chain).toBeLessThan(8192);
});

test('chains that the student cannot hold are counted, and fit no budget of the stages', async () => {
  givePositions(512);
  const { budgets, lengths, notes } = await survey('mix200.jsonl');
  expect(notes).toContainEqual(expect.stringMatching(/^20 of 200 rows .* longer than the student's 512 positions/));
  expect(budgets.completion).toBeLessThan(512);
  expect(budgets.table.find(({ tokens }) => tokens === budgets.completion)!.rows).toBe(180);
  expect(budgets.table.at(-1)).toEqual({ tokens: roundedUp(lengths.chain), rows: 200 });
});
