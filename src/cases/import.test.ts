import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packageRoot } from '../paths';
import { openRun, readConfig, readFailures } from '../runs/reading';
import { importCases } from './import';
import { bridgeRow as row } from './testing/bridge-row';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cases-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('importing cases', () => {
  test("BRIDGE's rows become a finished run with categories and first wrong steps", async () => {
    const file = join(folder, 'errors.json');
    writeFileSync(
      file,
      JSON.stringify([
        row(1, 'Step 1: 6 * 4 = 26.\nStep 2: 26 - 5 = 21.\nAnswer: 21', 30),
        row(2, 'Step 1: 6 + 4 = 10.\nStep 2: 10 - 5 = 5.\nAnswer: 5', 31),
        row(3, 'Step 1: 6 * 4 = 24. Step 1: 6 * 4 = 24.', 400),
        row(4, 'Step 1: 6 * 4 = 24.\nStep 2: 24 - 5 = 19.\nAnswer: 19.00', 33),
      ]),
    );
    const told: number[] = [];
    const { folder: run, ...counts } = await importCases(file, join(folder, 'runs'), (done) => told.push(done));
    expect(counts).toEqual({
      cases: 4,
      categories: { 'arithmetic slip': 1, 'wrong operation': 1, truncated: 1, 'right answer': 1 },
      located: 2,
    });
    expect(openRun(run).record).toMatchObject({ state: 'finished', name: 'cases-errors', checkpoints: [] });
    expect(readConfig(run)).toMatchObject({ imported: { file, format: 'bridge', rows: 4 } });
    const cases = readFailures(run);
    expect(cases.map(({ problemId }) => problemId)).toEqual(['bridge-1', 'bridge-2', 'bridge-3', 'bridge-4']);
    expect(cases[0]).toMatchObject({
      samples: [{ tokens: 30, finished: true, answer: '21', correct: false }],
      firstWrongStep: { sample: 0, step: 0, reason: '6 * 4 is 24, not 26' },
      teacherChain: expect.stringMatching(/^Thinking: Six boxes of 4\.\nStep 1: /),
      source: 'errors.json',
    });
    expect(cases[2].samples[0].finished).toBe(false);
  });

  test('words are counted where the file counts no tokens, and labelled so', async () => {
    const file = join(folder, 'a.chains.jsonl');
    const rows = [
      { id: 'x', question: 'Q?', answer: '2', student: { text: 'I say three. Answer: 3' } },
      { id: 'y', question: 'R?', answer: '2' },
    ];
    writeFileSync(file, rows.map((one) => `${JSON.stringify(one)}\n`).join(''));
    const { folder: run, cases } = await importCases(file, folder);
    expect(cases).toBe(1);
    expect(readFailures(run)[0].samples[0]).toMatchObject({ tokens: 5, unit: 'words' });
  });

  test('a file without answers is refused, and no folder is made', async () => {
    const file = join(folder, 'b.chains.jsonl');
    writeFileSync(file, '{"id":"x","question":"Q?","answer":"2"}\n');
    await expect(importCases(file, join(folder, 'runs'))).rejects.toThrow(/no row has a student's answer/);
    expect(existsSync(join(folder, 'runs'))).toBe(false);
  });
});

const bridge = join(packageRoot(), '../shared/data/bridge/stage3_error_samples.json');
if (!existsSync(bridge)) console.warn(`Skipped: BRIDGE's cases are not at ${bridge}`);

test.skipIf(!existsSync(bridge))("BRIDGE's own 568 cases", async () => {
  const { folder: run, cases, categories, located } = await importCases(bridge, folder);
  expect(cases).toBe(568);
  expect(categories.truncated).toBe(128);
  expect(located).toBeGreaterThan(250);
  const records = readFailures(run);
  expect(records).toHaveLength(568);
  expect(records.every(({ teacherChain }) => teacherChain?.includes('Step 1:'))).toBe(true);
});
