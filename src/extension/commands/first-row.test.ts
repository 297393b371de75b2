import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../paths';
import { optionOf, readFirstRow } from './first-row';

const file = (name: string) => join(packageRoot(), 'test/fixtures/data', name);

test('the first row is shown by the guessed and given columns', () => {
  const guessed = readFirstRow(file('metamath.jsonl'), {});
  expect(optionOf(guessed.columns!)).toBe('question=query,chain=response');
  expect(guessed.first).toMatchObject({ answer: '180', question: expect.stringMatching(/^A kiosk/) });
  const told = readFirstRow(file('metamath.jsonl'), { question: ['type', 'query'] });
  expect(optionOf(told.columns!)).toBe('question=type+query,chain=response');
  expect(told.first!.question).toMatch(/^GSM_Rephrased\n\nA kiosk/);
});

test('choices are found and shown, and can be named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'distillery-choices-'));
  try {
    const data = join(folder, 'quiz.jsonl');
    const row = { question: 'What is 4 * 8?', first: '32', second: '31', options: ['30', '32'], answer: 'B', exp: '=' };
    writeFileSync(data, `${JSON.stringify(row)}\n`);
    const guessed = readFirstRow(data, {});
    expect(guessed).toMatchObject({ choices: '(A) 30 (B) 32', first: { answer: '(B) 32' } });
    expect(optionOf(guessed.columns!)).toBe('question=question,choices=options,answer=answer,chain=exp');
    const told = readFirstRow(data, { choices: ['first', 'second'] });
    expect(told).toMatchObject({ choices: '(A) 32 (B) 31', first: { answer: '(B) 31' } });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('unusable columns are explained', () => {
  expect(readFirstRow(file('metamath.jsonl'), { question: 'query', answer: 'query' })).toEqual({
    fault: 'the reference answers in "query" are the questions',
  });
});
