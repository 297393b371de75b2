import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../paths';
import { optionOf, readFirstRow } from './first-row';

const file = (name: string) => join(packageRoot(), 'test/fixtures/data', name);

test('the first row is shown by the columns that are guessed and told', () => {
  const guessed = readFirstRow(file('metamath.jsonl'), {});
  expect(optionOf(guessed.columns!)).toBe('question=query,chain=response');
  expect(guessed.first).toMatchObject({ answer: '180', question: expect.stringMatching(/^A kiosk/) });
  const told = readFirstRow(file('metamath.jsonl'), { question: ['type', 'query'] });
  expect(optionOf(told.columns!)).toBe('question=type+query,chain=response');
  expect(told.first!.question).toMatch(/^GSM_Rephrased\n\nA kiosk/);
});

test('columns that will not do say why', () => {
  expect(readFirstRow(file('metamath.jsonl'), { question: 'query', answer: 'query' })).toEqual({
    fault: 'the reference answers in "query" are the questions',
  });
});
