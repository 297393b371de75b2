import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tinyWorkspace } from '../curriculum/testing/tiny';
import { datasetFiles } from './new-files';
import { fittingSize, type Size, usualSize } from './new-size';
import type { Survey } from './survey';

let folder: string;
beforeAll(async () => {
  folder = await tinyWorkspace();
});
afterAll(() => rmSync(folder, { recursive: true }));

const part = { format: 'chains' as const, path: '/data/train.jsonl' };
const lengths = { question: 400, chain: 4000, exercise: 4400 };
const survey: Survey = {
  train: part,
  test: part,
  rows: 320,
  validation: 32,
  testRows: 50,
  chains: true,
  budgets: { completion: 1024, answer: 1024, table: [], measured: 0, notes: [] },
  lengths,
  work: { train: 288, test: 50, question: 200, chain: 900 },
  notes: [],
};
const text = (size: Size) =>
  Object.values(datasetFiles({ folder, name: 'long', student: 'student' }, survey, { size }))[0];
const sizeOn = (memory: number) => fittingSize(text, folder, lengths, memory);

it('samples and tests less at a time on a machine that does not hold the usual size', () => {
  expect(sizeOn(1e12)).toBe(usualSize);
  expect(sizeOn(1e6)).toEqual({ prompts: 2, testing: 8 });
  const found = [0.6, 0.8, 1, 1.4, 2].map((gigabytes) => sizeOn(gigabytes * 1e9).prompts);
  expect(found).toEqual([...found].sort((a, b) => a - b));
  expect(new Set(found).size).toBeGreaterThan(1);
});

it('shows in the experiment, with as many passes through the data', () => {
  expect(text(usualSize)).toContain('"updates": 18, "prompts": 16,');
  const smaller = text({ prompts: 4, testing: 16 });
  expect(smaller).toContain('"updates": 72, "prompts": 4,');
  expect(smaller).toContain('"evaluation": { "batch": 16,');
});
