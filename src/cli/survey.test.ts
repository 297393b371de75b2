/** Budgets for chains of very different lengths: no row that fits is left out. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../paths';
import { loadStudentTokenizer } from '../student-files/folder';
import { surveyDataset } from './survey';

/** The built-in student's tokenizer, with the 8,192 positions of SmolLM2. */
const folder = mkdtempSync(join(tmpdir(), 'distillery-survey-'));
cpSync(join(packageRoot(), 'examples/arithmetic/student'), folder, { recursive: true });
const config = join(folder, 'config.json');
const positions = { max_position_embeddings: 8192 };
writeFileSync(config, JSON.stringify(Object.assign(JSON.parse(readFileSync(config, 'utf8')), positions)));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  // Twenty of them are thirty times as long as the others.
  ['mix200.jsonl', 200, undefined],
  // Thousands of tokens of thinking before two short steps.
  ['r1_12.jsonl', 12, 'cut'],
])('%s', async (name, rows, thinking) => {
  const student = { folder, tokenizer: loadStudentTokenizer(folder), builtIn: false };
  const survey = (await surveyDataset(join(packageRoot(), 'test/fixtures/data', name), { quiet: true }, student))!;
  const { budgets } = survey;
  expect(survey.notes.filter((note) => note.includes('skipped'))).toEqual([]);
  expect([budgets.measured, budgets.table.at(-1)!.rows]).toEqual([rows, rows]);
  expect(survey.thinking).toBe(thinking);
  expect(survey.lengths.chain).toBeLessThan(8192);
});
