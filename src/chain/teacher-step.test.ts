import { expect, test } from 'vitest';
import { firstWrongStep } from './faults';
import { counterpart } from './teacher-step';
import type { Chain } from './types';

const chain = (...steps: string[]): Chain => ({ thinking: '', steps, answer: '144' });
const teacher = chain(
  'May has 48 / 2 = 24 clips.',
  'Both months: 48 + 24 = 72 clips.',
  'Each costs 2 dollars: 72 * 2 = 144.',
);
const opposite = (...steps: string[]) => {
  const { step } = firstWrongStep(chain(...steps), teacher)!;
  return counterpart(chain(...steps), teacher, step);
};

test('of a slip: the step that says the same', () => {
  expect(opposite('May has 48 / 2 = 24 clips.', 'Both months: 48 + 24 = 74 clips.')).toBe(1);
  expect(opposite('May has 48 / 2 = 24 clips.', 'Each costs 2 dollars: 72 * 2 = 124.')).toBe(2);
});

test('of a departure: the first step whose result was not arrived at, however much another says the same', () => {
  expect(opposite('May has 48 / 2 = 24 clips.', 'Each costs 2 dollars: 24 * 4 = 96.')).toBe(1);
  expect(opposite('Each costs 2 dollars: 48 * 2 = 96.')).toBe(0);
});

test('a result that a longer computation went past was not missed', () => {
  expect(opposite('Both months: 48 + 48 / 2 = 72 clips.', 'Each costs 4 dollars: 72 * 4 = 288.')).toBe(2);
});

test('without results: the step after those already aligned, and none after the last', () => {
  const words = chain('She folds the paper.', 'Then she cuts it.', 'At last she glues it.');
  expect(counterpart(chain('She folds the paper.', 'It tears.'), words, 1)).toBe(1);
  expect(counterpart(chain(...words.steps, 'It tears.'), words, 3)).toBeNull();
});
