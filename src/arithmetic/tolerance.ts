import Fraction from 'fraction.js';
import { type Expression, evaluate, type NotationReading, numbersOf } from './expression';

/**
 * Whether an equation is true under some reasonable reading. `loose`: the text says that the result is rounded, so it
 * may be off by less than one.
 */
export function isTrue(left: Expression, right: Expression, loose: boolean): boolean {
  const vague = [...numbersOf(left), ...numbersOf(right)].some(({ percent, scale }) => percent || scale);
  return (vague ? readings : readings.slice(0, 1)).some((reading) => agree(left, right, reading, loose));
}

const readings: NotationReading[] = (['share', 'bare', 'relative'] as const).flatMap((percent) =>
  [true, false].map((scaled) => ({ percent, scaled })),
);

function agree(left: Expression, right: Expression, reading: NotationReading, loose: boolean): boolean {
  const actual = evaluate(left, reading);
  if (!actual) return false;
  // The right side as written, with its percentage as a bare number (3 / 4 = 75%), or only its first term, if a sum
  // continues.
  const claims: [Expression, NotationReading][] = [
    [right, reading],
    [right, { ...reading, percent: reading.percent === 'bare' ? 'share' : 'bare' }],
    ...firstTerms(right).map((term): [Expression, NotationReading] => [term, reading]),
  ];
  const slack = inputSlack(left, actual);
  return claims.some(([claim, as]) => {
    const stated = evaluate(claim, as);
    if (!stated) return false;
    const error = actual.sub(stated).abs();
    return error.lte(slack) || error.lt(outputSlack(claim, loose, as));
  });
}

/** The start of a running sum: its first operand, or the first two (8 in 8 + 4 - 1, 1/3 in 1/3 of 150). */
function firstTerms(expression: Expression): Expression[] {
  let whole = expression;
  let first = expression;
  while (first.kind === 'binary') [whole, first] = [first, first.left];
  return [first, whole];
}

/**
 * The tolerance of a stated result: one unit of its last decimal, as it may be rounded or truncated; 1 if it is said to
 * be rounded.
 */
function outputSlack(claim: Expression, loose: boolean, reading: NotationReading): Fraction {
  if (claim.kind !== 'number') return exact;
  const unit = new Fraction(1n, 10n ** BigInt(claim.decimals));
  const slack = claim.decimals > 0 || loose ? unit : exact;
  return claim.percent && reading.percent !== 'bare' ? slack.div(100) : slack;
}

const exact = new Fraction(0);

/** The tolerance for operands that look like a rounded ninth or twelfth. */
function inputSlack(expression: Expression, actual: Fraction): Fraction {
  let slack = exact;
  for (const { value, decimals } of numbersOf(expression)) {
    const unit = new Fraction(1n, 10n ** BigInt(decimals));
    const parts = decimals > 2 ? 36 : 18;
    const nearest = value.mul(parts).round(0).div(parts);
    const rounded = decimals >= 2 && nearest.d % 3n === 0n && nearest.sub(value).abs().lt(unit);
    if (rounded && value.n > 0n && unit.div(value).gt(slack)) slack = unit.div(value);
  }
  return actual.abs().mul(slack);
}
