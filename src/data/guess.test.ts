import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { guessFormat } from './guess';

const folder = mkdtempSync(join(tmpdir(), 'distillery-guess-'));
afterAll(() => rmSync(folder, { recursive: true }));

const guess = (text: string) => {
  const file = join(folder, 'data.jsonl');
  writeFileSync(file, text);
  return guessFormat(file);
};

it('knows a format by its first row', () => {
  expect(guess('\n{"id": 1, "question": "q", "answer": "#### 2"}\n')).toBe('chains');
  expect(guess('{"question": "q", "answer": "1 + 1 = 2\\n#### 2"}')).toBe('gsm8k');
  expect(guess('{"question": "q", "answer": "2"}')).toBe('rows');
  expect(guess('{"id": 1, "question": "q", "answer": "2", "solution": "s"}')).toBe('rows');
  expect(guess('[\n  {"idx": 1, "gold_answer": "2"}\n]')).toBe('bridge');
});

it('says what is wrong with others', () => {
  expect(() => guess('null')).toThrow('the first row is not a JSON object');
  expect(() => guess('{"question": ')).toThrow('broken JSON');
  expect(() => guess(' \n\n')).toThrow('the dataset is empty');
  expect(() => guessFormat(join(folder, 'absent.jsonl'))).toThrow('no such file');
});
