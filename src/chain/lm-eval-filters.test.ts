import { expect, test } from 'vitest';
import { exactMatch, flexibleExtract, strictMatch } from './lm-eval-filters';
import { cpuTime } from './testing/cpu-time';

const gold = 'She sells 9 eggs.\nThat makes 9 * 2 = $<<9*2=18>>18.\n#### 18';

test.each([
  ['#### 18', '18', true],
  ['first #### 18 then #### 20', '18', true],
  ['#### 1,080.', '1,080.', false],
  ['#### -18', '-18', false],
  ['#### $18', '[invalid]', false],
  ['####18', '[invalid]', false],
  ['The answer is 18.', '[invalid]', false],
  ['', '[invalid]', false],
])('strict-match of %j is %j', (completion, extracted, right) => {
  expect(strictMatch(completion)).toBe(extracted);
  expect(exactMatch(strictMatch(completion), gold)).toBe(right);
});

test.each([
  ['The answer is 18.', '18.', true],
  ['It costs $18', '$18', true],
  ['First 20, then 18', '18', true],
  ['18 at first, but it is 20', '20', false],
  ['18 is 18.00', '18.00', false],
  ['So 18 dollars...', '...', false],
  ['between 10-18', '-18', false],
  ['9', '9', false],
  ['none', '[invalid]', false],
])('flexible-extract of %j is %j', (completion, extracted, right) => {
  expect(flexibleExtract(completion)).toBe(extracted);
  expect(exactMatch(flexibleExtract(completion), gold)).toBe(right);
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
