import { expect, it } from 'vitest';
import { spendingText, spentText } from './spent';

const spent = { prompt: 12_300, sampled: 4500, trained: 2_010_000 };

it('shows tokens by kind, and money if prices are known', () => {
  expect(spentText(spent)).toBe('12.3k prompt, 4.5k sampled, 2.0M trained tokens');
  expect(spentText({ ...spent, money: 1.236 })).toMatch(/trained tokens, 1\.24 spent$/);
  const partly = { ...spent, money: 1.236, unpriced: { prompt: 1, sampled: 0, trained: 0 } };
  expect(spentText(partly)).toMatch(/trained tokens, at least 1\.24 spent$/);
  expect(spendingText(partly, { before: partly, done: 2, left: 4 })).toBe('at least 1.24 spent');
});

it('estimates what the rest of a phase costs', () => {
  const before = { ...spent, money: 1 };
  expect(spendingText(spent, { before, done: 2, left: 4 })).toBe('2.0M tokens');
  expect(spendingText({ ...spent, money: 1.5 }, { before, done: 2, left: 4 })).toBe(
    '1.50 spent, about 1.00 more in this phase',
  );
  expect(spendingText({ ...spent, money: 1.5 }, { before, done: 2, left: 0 })).toBe('1.50 spent');
  expect(spendingText({ ...spent, money: 1.5 }, { before: undefined, done: 2, left: 1 })).toBe('1.50 spent');
});
