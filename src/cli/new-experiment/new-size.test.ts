import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadExperiment } from '../../config/load';
import { tinyWorkspace } from '../../curriculum/testing/tiny';
import { embeddedMemory } from '../../engine/engines';
import { datasetFiles } from './new-files';
import { fittingQuick, fittingSize, type QuickSize, quickLimit, quickSeconds, type Size, usualSize } from './new-size';
import type { Survey } from './survey';

let folder: string;
beforeAll(async () => {
  folder = await tinyWorkspace();
  writeFileSync(join(folder, part.path), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

const part = { format: 'chains' as const, path: 'train.jsonl' };
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
const sizeOn = (memory: number) =>
  fittingSize(text, folder, { model: embeddedMemory(join(folder, 'student')), lengths }, memory);

it('samples and tests less at a time on a machine that does not hold the usual size', () => {
  expect(sizeOn(1e12)).toBe(usualSize);
  expect(sizeOn(1e6)).toMatchObject({ prompts: 2, testing: 8 });
  const found = [0.6, 0.8, 1, 1.4, 2].map((gigabytes) => sizeOn(gigabytes * 1e9).prompts);
  expect(found).toEqual([...found].sort((a, b) => a - b));
  expect(new Set(found).size).toBeGreaterThan(1);
});

it('shows in the experiment, with as many passes through the data', () => {
  expect(text(usualSize)).toContain('"updates": 18, "prompts": 16,');
  const smaller = text({ ...usualSize, prompts: 4, testing: 16 });
  expect(smaller).toContain('"updates": 72, "prompts": 4,');
  expect(smaller).toContain('"evaluation": { "batch": 16,');
});

it('keeps a quick run within a quarter of an hour, as far as the smallest budget allows', () => {
  const write = (quick: QuickSize) => text({ ...usualSize, quick });
  const { work } = survey;
  const budgets = [12, 10.5, 10, 9.5, 9, 8.5, 5].map((power) => {
    const speed = 10 ** power;
    const quick = fittingQuick(write, folder, { work, speed });
    const size = { ...usualSize, quick };
    for (const [name, text] of Object.entries(
      datasetFiles({ folder, name: 'long', student: 'student' }, survey, { size }),
    ))
      writeFileSync(join(folder, name), text);
    const { experiment } = loadExperiment(join(folder, 'long.distillery.json'), { quick: true });
    const fits = quickSeconds(experiment, work, speed) <= quickLimit;
    return { fits, tests: quick.tests };
  });
  expect(budgets[0]).toEqual({ fits: true, tests: usualSize.quick.tests });
  expect(budgets.at(-1)).toEqual({ fits: false, tests: 8 });
  const tests = budgets.map((one) => one.tests);
  expect(tests).toEqual([...tests].sort((a, b) => b - a));
  expect(budgets.filter(({ fits }) => !fits).every((one) => one.tests === 8)).toBe(true);
  expect(new Set(tests).size).toBeGreaterThan(2);
});
