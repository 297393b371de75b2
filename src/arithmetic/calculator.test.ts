import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpuTime } from '../testing/cpu-time';
import { checkEquations, statedValues } from './calculator';

/** Each equation as "left sign right", with the true value if it is false. */
const check = (text: string) =>
  checkEquations(text).map(({ left, operator, right, actual, correct }) =>
    correct ? `${left} ${operator} ${right}` : `${left} ${operator} ${right}, really ${actual}`,
  );

describe('what is read', () => {
  test.each([
    ['12 x 3 = 38', ['12 x 3 = 38, really 36']],
    ['48/2 = <<48/2=24>>24 clips', ['48/2 = 24']],
    ['She has <<3+4=8>>8 left', ['3 + 4 = 8, really 7']],
    ['60 - (15 + 24) = 60 - 39 = 21 cookies.', ['60 - (15 + 24) = 60 - 39', '60 - 39 = 21']],
    ['Total = 3 days × 40 houses/day = 120 houses', ['3 × 40 = 120']],
    ['the total is $20.00 + $3.50 = $23.50. Then', ['20.00 + 3.50 = 23.50']],
    ['\\[ \\text{Cost} = \\frac{\\$1,200}{10} \\times 2 = \\$240 \\]', ['1,200/10 × 2 = 240']],
    ['\\( 460 \\times 20 = 9,\\!200 \\)', ['460 × 20 = 9,200']],
    ['\\frac{1}{3} \\text{ of } 75 = 25', ['1/3 of 75 = 25']],
    ['15% of 3000 = 450 cars', ['15% of 3000 = 450']],
    ['40\\% \\times 80 = 0.4 \\times 80 = 32', ['40% × 80 = 0.4 × 80', '0.4 × 80 = 32']],
    ['$26 (Jack) + $17 (Ben) + $7 (Eric) = $40.', ['26 + 17 + 7 = 40, really 50']],
    ['2(4(36) - 7) = 2(137) = 274', ['2(4(36) - 7) = 2(137)', '2(137) = 274']],
    ['5 − 8 = −3', ['5 - 8 = -3']],
    ['10 ÷ 4 ≈ 2.5', ['10 ÷ 4 ≈ 2.5']],
    ['$5 multiplied by 3 equals $16', ['5 multiplied by 3 = 16, really 15']],
    ['2^3 + 1 = 9', ['2^3 + 1 = 9']],
    ['2 / 1/4 = 8', ['2 / 1/4 = 8']],
    ['1 1/2 + 2 = 3.5 and 2 \\frac{9}{12} + 1 = 3.75', ['1 1/2 + 2 = 3.5', '2 9/12 + 1 = 3.75']],
    ['- 6 oranges * $2 = $12\n- 3 + 4 = 7', ['6 * 2 = 12', '3 + 4 = 7']],
    ['15x20 = 300 sq ft', ['15 x 20 = 300']],
    ['1,080 + 20 = 1,100 and 80 000 x 2 = 160 000', ['1,080 + 20 = 1,100', '80000 x 2 = 160000']],
    ['80 billion * 6 = 480 billion', ['80 * 6 = 480']],
    ['Sum:\n12 + 5\n= 18', ['12 + 5 = 18, really 17']],
  ])('%j', (text, expected) => expect(check(text)).toEqual(expected));

  test('the place of an equation ends with its number', () => {
    const text = 'So, in all, he pays $12 x 3 boxes = $38 dollars (too much).';
    const [{ start, end, stated, actual }] = checkEquations(text);
    expect(text.slice(start, end)).toBe('12 x 3 boxes = $38');
    expect([stated, actual]).toEqual(['38', '36']);
  });
});

describe('fair readings', () => {
  test.each([
    '2 / 3 = 0.67',
    '2 / 3 = 0.66',
    '140 / 48 = 2.9167',
    '10 / 3 ≈ 3',
    '10 / 3 = about 3',
    '56 ÷ 25 = 2 with a remainder of 6',
    '20 / 3 = 7 (rounded up)',
    '50 / 3 = 16 and 2/3',
    '33.33% * 90 = 30',
    '$300 * 0.0833 = $25.00',
    '($9 / $15) * 100 = 60%',
    '9 / 15 = 60%',
    '12 / 18 = 66.666...%',
    '100% - 40% = 60%',
    '200 + 10% = 220',
    '2 + 3 = 5 + 4 = 9',
    '3/3 - 2/3 = 1/3 of $150',
  ])('%j is true', (text) => {
    const equations = checkEquations(text);
    expect(equations.length).toBeGreaterThan(0);
    expect(equations.every(({ correct }) => correct)).toBe(true);
  });

  test.each([
    '2 / 3 = 0.5',
    '20 / 3 = 7',
    '17.50 * 3 = 52.51',
    '$325 * 0.0833 = $27.00',
    '9 / 15 = 66%',
    '200 + 10% = 230',
    '2 + 3 = 6 + 4 = 10',
    '55 / 12.5 = 4',
  ])('%j is false', (text) => expect(checkEquations(text).some(({ correct }) => !correct)).toBe(true));
});

test.each([
  '4R - 7 = 12',
  '3x + 2 = 14',
  'A^2 = 25',
  '5 + x = 17',
  '2 * Brother = 4',
  "5 + Tom's 3 * 2 = 16",
  '8:55 a.m. + 90 minutes = 9:25 a.m.',
  '1 hour + 30 minutes = 90 minutes',
  '$0.25 x 10 = 250 cents',
  '50 cents + $1 = $1.50',
  '3 dozen = 3 × 12',
  '1 meter = 100 cm',
  '1/3 = 15 apples',
  '10 pages on day 1 * 2 = 20 pages',
  '1 long side + 2 short sides = 30 + 2 × 15',
  '5 / 0 = 0',
  '5 + ) = 3',
  '= 5',
  '1,08 + 1 = 2',
])('%j is not judged false', (text) => expect(checkEquations(text).filter(({ correct }) => !correct)).toEqual([]));

test('stated values: right sides that are one number, computed or not', () => {
  expect(
    statedValues('Let x = 45. Total = 3 × 40 = <<3*40=120>>120 houses, y = 2z, 2 + 3 = 1 + 4').map(
      ({ value, computed }) => [value, computed],
    ),
  ).toEqual([
    ['45', false],
    ['120', true],
  ]);
});

test('sums of our own making are judged as they are', () => {
  const operator = fc.constantFrom('+', '-', '*', '/');
  const number = fc.integer({ min: 1, max: 9999 });
  fc.assert(
    fc.property(number, operator, number, fc.integer({ min: -2, max: 2 }), fc.boolean(), (a, op, b, error, latex) => {
      const value = op === '+' ? a + b : op === '-' ? a - b : op === '*' ? a * b : a;
      const left = op === '/' ? a * b : a;
      const sign = latex ? { '+': '+', '-': '-', '*': '\\times', '/': '\\div' }[op]! : op;
      const [equation, ...more] = checkEquations(`He computes ${left} apples ${sign} $${b} = ${value + error}.`);
      expect(more).toEqual([]);
      expect(equation).toMatchObject({ correct: error === 0, stated: String(value + error), actual: String(value) });
    }),
  );
});

test('hostile texts end soon, and do not throw', () => {
  const pieces = [
    '1',
    '{',
    '(',
    '(1',
    '1+',
    '1*',
    '1/2/',
    '9^9*',
    '-',
    '5 x ',
    '1+1=',
    '= ',
    '\\frac{1}{',
    '<<',
    '1 1/2 ',
    '5 (a) ',
    '1,',
    '% of 5',
  ];
  for (const piece of pieces) {
    const text = `${piece.repeat(10_000 / piece.length)}=5`;
    expect(
      cpuTime(() => checkEquations(text), 1),
      piece,
    ).toBeLessThan(1000);
  }
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...pieces, ')', '}', '=', ' ', '\n', 'a', '>>'), { maxLength: 30 }),
      (parts) => {
        checkEquations(parts.join(''));
      },
    ),
  );
});
