import type Fraction from 'fraction.js';

/** An arithmetic expression as written in a chain; `unknown` is a part with a variable or words. */
export type Expression =
  | { kind: 'number'; value: Fraction; decimals: number; percent: boolean; scale?: number; bare: boolean }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'negative'; of: Expression }
  | { kind: 'unknown' };

/**
 * An interpretation of informal notation: 20 % as 0.2, as 20, or of the value it is added to; 5 dozen as 60 or as 5.
 */
export interface NotationReading {
  percent: 'share' | 'bare' | 'relative';
  scaled: boolean;
}

/** Values with more digits are not computed. */
const maxMagnitude = 10n ** 60n;

/** The exact value, or null if a part is unknown, divides by zero or exceeds the limit. */
export function evaluate(expression: Expression, reading: NotationReading): Fraction | null {
  switch (expression.kind) {
    case 'unknown':
      return null;
    case 'negative':
      return evaluate(expression.of, reading)?.neg() ?? null;
    case 'number': {
      const value = expression.percent && reading.percent !== 'bare' ? expression.value.div(100) : expression.value;
      return reading.scaled && expression.scale ? value.mul(expression.scale) : value;
    }
    case 'binary': {
      const left = evaluate(expression.left, reading);
      const right = left && evaluate(expression.right, reading);
      if (!left || !right) return null;
      const relative = reading.percent === 'relative' && expression.right.kind === 'number' && expression.right.percent;
      const value = apply(
        expression.operator,
        left,
        relative && '+-'.includes(expression.operator) ? right.mul(left) : right,
      );
      return value && value.n < maxMagnitude && value.d < maxMagnitude ? value : null;
    }
  }
}

function apply(operator: string, left: Fraction, right: Fraction): Fraction | null {
  if (operator === '+') return left.add(right);
  if (operator === '-') return left.sub(right);
  if (operator === '*') return left.mul(right);
  if (operator === '/') return right.n === 0n ? null : left.div(right);
  // Powers: small integer exponents only.
  return right.d === 1n && right.s >= 0n && right.n <= 12n && left.n < 10n ** 6n ? left.pow(right) : null;
}

/** The numbers in an expression, in order. */
export function numbersOf(expression: Expression): Extract<Expression, { kind: 'number' }>[] {
  if (expression.kind === 'number') return [expression];
  if (expression.kind === 'negative') return numbersOf(expression.of);
  return expression.kind === 'binary' ? [...numbersOf(expression.left), ...numbersOf(expression.right)] : [];
}
