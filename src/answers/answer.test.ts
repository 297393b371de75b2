import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpuTime } from '../testing/cpu-time';
import { parseAnswer, sameAnswer } from './equal';
import { extractAnswer } from './extract';

const answerIn = (text: string, mode: 'strict' | 'lenient' = 'strict') => extractAnswer(text, mode)?.value ?? null;

describe('what is read', () => {
  test.each([
    ['#### 1,080', '1080'],
    ['#### -10', '-10'],
    ['Answer: 42.00', '42.00'],
    ['\\boxed{\\$18}', '\\$18'],
    ['Answer: 3/4', '3/4'],
    ['Final Answer: 18 dollars', '18 dollars'],
    ['Answer: \\frac{3}{4}', '3/4'],
    ['\\boxed{-\\dfrac{3}{4}}', '-3/4'],
    ['Answer: 1 1/2 pies', '3/2'],
    ['Answer: −7', '-7'],
    ['Answer: -$21', '-$21'],
    ['Answer: $1,234,567.50', '$1,234,567.50'],
    ['Answer: 9,\\!200 dollars.', '9,\\!200 dollars'],
    ['Answer: €2{,}500', '€2{,}500'],
    ['Answer: 60%', '60%'],
    ['Answer: 60\\%', '60\\%'],
    ['Answer: .5', '.5'],
    ['Answer: \\( 42 \\)', '42'],
    ['**Answer:** 42', '42'],
    ['**Final Answer:**\n42 apples', '42'],
    ['Answer: Final Answer: 100', '100'],
    ['Answer: Jane has 18 dollars.', '18 dollars'],
    ['Final Answer: 72 + 12 - 5 = 79 books.', '79'],
    ['Answer: x = 5', 'x = 5'],
    ['Answer: $5/hour', '$5/hour'],
    ['####72', '72'],
    ['The answer is 6.', '6'],
    ['so the answer is $1,000. I am sure of 3 things', '$1,000'],
    ['\\boxed{x = 5}', 'x = 5'],
    ['\\boxed{18 \\text{ dollars}}', '18 \\text{ dollars}'],
    ['\\boxed{2\\sqrt{3}}', '2\\sqrt{3}'],
    ['\\boxed{\\text{Monday}}', '\\text{Monday}'],
    ['Answer: Monday.', 'Monday'],
    ['Answer: 1,08', '1,08'],
    ['**Final Answer**\n\n5', '5'],
    ['### Final Answer\n\\[\n5\n\\]', '5'],
    ['Final Answer\n3\\sqrt{13}', '3\\sqrt{13}'],
    ['**Answer**: 11 pens', '11'],
    ['Answer: 12 or 13', '12 or 13'],
    ['Answer: 3\\sqrt{13}', '3\\sqrt{13}'],
    ['Answer: $3\\sqrt{13}$ cm.', '3\\sqrt{13}$ cm'],
    ['Answer: 10^3', '10^3'],
    ['The answer is \\(2\\pi\\).', '2\\pi'],
    ['Answer: (1, 2)', '(1, 2)'],
    ['Answer: [2,5]', '[2,5]'],
    ['Answer: (x, y) = (1,2)', '(x, y) = (1,2)'],
    ['Answer: x^3+3x-6', 'x^3+3x-6'],
    ['Answer: y = 2x + 3', 'y = 2x + 3'],
    ['Answer: 6 - 5i', '6 - 5i'],
    ['Answer: 5 - 3', '5 - 3'],
    ['Answer: 2x', '2x'],
    ['Answer: 1e-3', '1e-3'],
    ['Answer: 12\\frac{1}{2}', '25/2'],
    ['Answer: \\frac12', '1/2'],
    ['Answer: 2½', '5/2'],
    ['Answer: 2 ½ hours', '2 ½ hours'],
    ['Answer: \\text{Evelyn}', 'Evelyn'],
    ['Answer: 7:30 PM', '7:30 PM'],
    ['Answer:\n- 12 apples', '12'],
    ['Answer: - 12', '-12'],
    ['Answer: 5 m', '5 m'],
    ['Answer: 5 m^2', '5 m^2'],
    ['Answer: 5 cm^{2}.', '5 cm^{2}'],
    ['Answer: 60 miles/hour', '60 miles/hour'],
    ['Answer: 90^\\circ', '90^\\circ'],
    ['Answer: 90°', '90°'],
    ['Answer: 42 (6 * 7)', '42'],
    ['Answer: 42 ✅', '42'],
    ['Answer: 18 – she has 18 dollars', '18'],
    ['Answer: 3 hours and 20 minutes', '3 hours and 20 minutes'],
    ['#### 10^3', '10^3'],
  ])('%j -> %j', (text, value) => {
    expect(answerIn(text)).toBe(value);
    expect(answerIn(text, 'lenient')).toBe(value);
  });

  test.each([
    'Answer:',
    'Step 1: 2 + 3 = 5\nAnswer:',
    'Answer: 5\nOr rather\nAnswer: ',
    '\\boxed{18',
    'The sum is 3. #### ',
    'Answer: [number]',
    'Step 1: 2 + 3 = 5\n\n**Final Answer**\n',
    'My final answer\nis not 5',
    'Step 1: 48 / 2 = 24',
    'Step 1: the question asks for 24 clips and',
    '#### Step 2: add them',
    '#### 1. Apples',
    '',
  ])('%j has no answer', (text) => expect(answerIn(text)).toBeNull());

  test('the order of the marks, and the last of each', () => {
    expect(extractAnswer('\\boxed{1} \\boxed{2}\n#### 3\nAnswer: 4\nThe answer is 5. 6')).toMatchObject({
      value: '2',
      kind: 'box',
    });
    expect(extractAnswer('#### 2\n#### 3\nAnswer: 4\nThe answer is 5. 6')).toMatchObject({ value: '3', kind: 'hash' });
    expect(extractAnswer('Answer: 3\nFinal Answer: 4\nThe answer is 5. 6')).toMatchObject({ value: '4', kind: 'line' });
    expect(extractAnswer('The answer is 4. No, the answer is 5. 6')).toMatchObject({ value: '5', kind: 'phrase' });
    expect(extractAnswer('4, 5, 6')).toBeNull();
    expect(extractAnswer('4, 5, -6 apples', 'lenient')).toMatchObject({ value: '-6', kind: 'number' });
  });

  test('the last number in lenient mode', () => {
    expect(answerIn('a half is 1/2.', 'lenient')).toBe('1/2');
    expect(answerIn('so \\frac{3}{4}', 'lenient')).toBe('3/4');
    expect(answerIn('10 - 5', 'lenient')).toBe('5');
    expect(answerIn('so far 5\nAnswer:\n', 'lenient')).toBe('5');
    expect(answerIn('it took 1,080 s', 'lenient')).toBe('1,080 s');
    expect(answerIn('no number', 'lenient')).toBeNull();
  });

  test('the place is that of the value as it is written', () => {
    const text = 'Step 1: 5 + 5 = 10\nFinal Answer: about -$1,010 in all';
    const { start, end } = extractAnswer(text)!;
    expect(text.slice(start, end)).toBe('-$1,010');
  });
});

describe('comparison', () => {
  test.each([
    ['42.00', '42'],
    ['$18', '18 dollars'],
    ['3/4', '0.75'],
    ['\\frac{3}{4}', '.75'],
    ['60%', '60'],
    ['1,080', '1080'],
    ['-10', '−10.0'],
    ['0.3333333', '1/3'],
    ['1,08', '1.08'],
    ['5', 'five'],
    ['Monday', 'monday.'],
    ['\\text{blue whale}', 'Blue whale'],
    ['123456789012345678901234567890123', '123456789012345678901234567890123'],
    ['5', 'x = 5'],
    ['x = 5.0', 'x=5'],
    ['2x+3', 'y = 2x + 3'],
    ['(1, 2)', '(x, y) = (1,2)'],
    ['3\\sqrt{13}', '$3\\sqrt{13}$ cm'],
    ['3\\sqrt{13}\\text{ cm}', '3 \\sqrt{13}'],
    ['2^{10}', '2^10'],
    ['2½', '2.5'],
    ['12\\frac{1}{2}', '12.5'],
    ['Evelyn', '\\text{Evelyn}'],
    ['(B)', 'B'],
  ])('%j is %j', (a, b) => expect(sameAnswer(a, b)).toBe(true));

  test.each([
    ['5', '6'],
    ['1000000.5', '1000000'],
    ['2', '2x'],
    ['2', '2½'],
    ['1', '1e-3'],
    ['5', '5 - 3'],
    ['x = 5', 'y = 5'],
    ['7:30 AM', '7:30 PM'],
    ['3\\sqrt{13} cm', '3\\sqrt{13} m'],
    ['1,08', '108'],
    ['0.333', '1/3'],
    ['1000002', '1000000'],
    ['Monday', 'Tuesday'],
    ['', '0'],
    ['1/0', '0'],
    ['123456789012345678901234567890123', '123456789012345678901234567890124'],
  ])('%j is not %j', (a, b) => expect(sameAnswer(a, b)).toBe(false));

  test('every spelling of a number equals the number', () => {
    const number = fc.tuple(fc.integer({ min: -9_999_999, max: 9_999_999 }), fc.integer({ min: 0, max: 3 }));
    fc.assert(
      fc.property(
        number,
        fc.constantFrom('', '$', '€'),
        fc.constantFrom('', ' apples', '%', '.'),
        (n, before, after) => {
          const [digits, decimals] = n;
          const value = digits / 10 ** decimals;
          const plain = value.toFixed(decimals);
          if (after === '%' && Math.abs(value) < 1 && value !== 0) return; // 0.5% is not 0.5
          const grouped = value.toLocaleString('en-US', { minimumFractionDigits: decimals });
          for (const spelling of [plain, grouped]) {
            const dressed = spelling.startsWith('-')
              ? `-${before}${spelling.slice(1)}${after}`
              : `${before}${spelling}${after}`;
            for (const mark of ['#### ', 'Answer: ', 'Final Answer: ', 'The answer is ']) {
              const found = extractAnswer(`Step 1: 2 + 2 = 4\n${mark}${dressed}`);
              expect(found && sameAnswer(found.value, plain)).toBe(true);
            }
            expect(sameAnswer(dressed, plain)).toBe(true);
          }
        },
      ),
    );
  });

  test('never throws, and positions lie within the text', () => {
    const pieces = fc.constantFrom(
      'Answer:',
      '\\boxed{',
      '}',
      '#### ',
      '12',
      '-',
      '/',
      '$',
      '.',
      ',',
      '=',
      ' ',
      '\n',
      '\\frac',
      '{',
      'x',
      '%',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((parts) => parts.join('')),
        ),
        (text) => {
          for (const mode of ['strict', 'lenient'] as const) {
            const found = extractAnswer(text, mode);
            if (!found) continue;
            expect(found.value).not.toBe('');
            expect(found.start).toBeLessThan(found.end);
            expect(found.end).toBeLessThanOrEqual(text.length);
          }
          expect(sameAnswer(text, text)).toBe(true);
          parseAnswer(text);
        },
      ),
    );
  });
});

test.each([
  '1',
  '{',
  '\\boxed{',
  'Answer: ',
  'answer  ',
  '#### ',
  '#',
  '1,111',
  '-',
  '1/',
  '\\frac{1}{',
  'the answer is ',
  '\n',
])('a hundred thousand characters of %j take at most a second', (piece) => {
  const text = piece.repeat(100_000 / piece.length);
  expect(cpuTime(() => extractAnswer(text, 'lenient'))).toBeLessThan(1000);
  expect(cpuTime(() => sameAnswer(text, text))).toBeLessThan(1000);
});
