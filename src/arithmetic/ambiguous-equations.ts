import type Fraction from 'fraction.js';
import type { EquationSide } from './equation-sides';
import { type Expression, numbersOf } from './expression';
import type { ArithmeticToken } from './lexer';

/**
 * Whether an equation that looks false may have another intended meaning, so that it should not count as an error: it
 * mixes units of one kind (1 hour + 30 minutes = 90; $0.25 x 4 = 100 cents), counts different things on its two sides
 * (1 long + 2 short sides = 30 + 2 x 15), names a share (1/3 = 15 apples), or begins with a label (day 1 * 2 = 20
 * pages).
 */
export function isDoubtful(
  text: string,
  tokens: readonly ArithmeticToken[],
  [left, right]: [EquationSide, EquationSide],
  stated: Fraction,
): boolean {
  const before = tokens[left.from - 1];
  const [start, end] = [tokens[left.from].start, tokens[right.end - 1].end];
  const inCents = tokens.slice(left.from, right.end + 1).some(({ text }) => /^cents?$/.test(text));
  return (
    mixesUnits(tokens, left.from, right.end) ||
    (inCents && text.slice(Math.max(0, start - 1), end).includes('$')) ||
    (right.expression.kind === 'binary' && numbersOf(left.expression).every(({ bare }) => !bare)) ||
    (before?.kind !== 'equals' && namesShare(left.expression, stated)) ||
    labels.test(before?.text ?? '')
  );
}

/** Words whose number is a label: "day 1 * 2 = 20 pages". */
const labels =
  /^(?:day|week|month|year|hour|step|part|number|phase|stage|level|grade|chapter|group|team|box|room|house|person|option|case|round|game|trip|train|page|shelf|quarter)$/i;

/** "1/3 = 15 apples" gives the size of a share and computes nothing. */
function namesShare(left: Expression, stated: Fraction): boolean {
  return (
    left.kind === 'binary' &&
    left.operator === '/' &&
    left.left.kind === 'number' &&
    left.right.kind === 'number' &&
    left.left.bare &&
    left.left.value.lt(left.right.value) &&
    stated.gte(1)
  );
}

const unitKinds = [
  'second minute hour day week month year decade min hr',
  'inch foot feet yard mile centimeter meter kilometer millimeter cm km mm',
  'ounce pound ton gram kilogram kg oz lb lbs',
  'cup pint quart gallon liter milliliter ml teaspoon tablespoon',
  'cent penny pennie nickel dime quarter dollar buck',
  'dozen pair half each',
].map((line) => new Set(line.split(' ')));

/**
 * Whether two different units of one kind occur in or right after a range of tokens, so that conversion factors may be
 * implicit.
 */
export function mixesUnits(tokens: readonly ArithmeticToken[], from: number, to: number): boolean {
  const seen = unitKinds.map(() => new Set<string>());
  for (let i = from; i < Math.min(to + 3, tokens.length); i++) {
    if (i >= to && tokens[i].kind !== 'word') break;
    const word = tokens[i].text.toLowerCase();
    const unit = word.replace(/(?<=ch)es$|s$/, '');
    unitKinds.forEach((kind, k) => {
      if (kind.has(unit)) seen[k].add(unit);
    });
  }
  return seen.some((units) => units.size > 1);
}
