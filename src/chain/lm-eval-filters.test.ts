import { expect, test } from 'vitest';
import { cpuTime } from '../testing/cpu-time';
import { exactMatch, flexibleExtract, strictMatch } from './lm-eval-filters';

const gold = 'She sells 9 eggs.\nThat makes 9 * 2 = $<<9*2=18>>18.\n#### 18';

const filters = { 'strict-match': strictMatch, 'flexible-extract': flexibleExtract };

test.each([
  ['strict-match', '#### 18', '18', true],
  ['strict-match', 'first #### 18 then #### 20', '18', true],
  ['strict-match', '#### 1,080.', '1,080.', false],
  ['strict-match', '#### -18', '-18', false],
  ['strict-match', '#### $18', '[invalid]', false],
  ['strict-match', '####18', '[invalid]', false],
  ['strict-match', 'The answer is 18.', '[invalid]', false],
  ['strict-match', '', '[invalid]', false],
  ['flexible-extract', 'The answer is 18.', '18.', true],
  ['flexible-extract', 'It costs $18', '$18', true],
  ['flexible-extract', 'First 20, then 18', '18', true],
  ['flexible-extract', '18 at first, but it is 20', '20', false],
  ['flexible-extract', '18 is 18.00', '18.00', false],
  ['flexible-extract', 'So 18 dollars...', '...', false],
  ['flexible-extract', 'between 10-18', '-18', false],
  ['flexible-extract', '9', '9', false],
  ['flexible-extract', 'none', '[invalid]', false],
] as const)('%s of %j is %j', (filter, completion, extracted, right) => {
  expect(filters[filter](completion)).toBe(extracted);
  expect(exactMatch(extracted, gold)).toBe(right);
});

test('the solution is reduced to what follows its mark, commas and one last point are dropped', () => {
  expect(exactMatch('1,080.', 'some steps\n#### 1080')).toBe(true);
  expect(exactMatch('1080', 'some steps\n#### 1,080')).toBe(true);
  expect(exactMatch('12.00', '#### 12')).toBe(false);
  expect(exactMatch('[INVALID]', '[invalid]')).toBe(true);
});

test('long digits take no time', () => {
  const digits = '1'.repeat(100_000);
  expect(cpuTime(() => exactMatch(flexibleExtract(digits), gold))).toBeLessThan(1000);
});
