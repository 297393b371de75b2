import { expect, test } from 'vitest';
import { counterpart } from './counterpart';

const teacher = [
  'May has 48 / 2 = 24 clips.',
  'Both months: 48 + 24 = 72 clips.',
  'Each costs 2 dollars: 72 * 2 = 144.',
];

test('the step that says the same', () => {
  const student = ['May has 48 / 2 = 24 clips.', 'Each costs 2 dollars: 24 * 2 = 48.'];
  expect(counterpart(student, teacher, 0)).toBe(0);
  expect(counterpart(student, teacher, 1)).toBe(2);
});

test('else the first behind what was said before, and none behind the last', () => {
  expect(counterpart(['May has 48 / 2 = 24 clips.', 'Something else.'], teacher, 1)).toBe(1);
  expect(counterpart(['Something else.'], teacher, 0)).toBe(0);
  expect(counterpart([...teacher, 'Then 5 more.'], teacher, 3)).toBeNull();
});
