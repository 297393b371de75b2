/** Compares numbers and quantities: rounding, percent, units, times of day, ratios. */
import Fraction from 'fraction.js';
import { Real } from './complex';
import { exact } from './exact';
import { apply, type Node, symbol, whole } from './node';
import { type Budget, isConstant, isExpression, points, sameExpression, valueAt } from './numeric';

/** Maximum relative difference between a rounded number and the original. */
const roundingSlack = '1e-6';
/** Minimum number of digits of a rounded number: 12.5 is exact, but 0.333333 may be a third. */
const leastDigits = 6;

/**
 * Whether two expressions are equal, or one of them is the other one rounded or truncated: it has decimals and at least
 * six digits, they differ by less than a unit of its last digit and by at most 1e-6 of the reference, which is not an
 * integer.
 */
function sameValue(a: Node, gold: Node, budget: Budget): boolean {
  if (!isExpression(a) || !isExpression(gold)) return false;
  if (sameExpression(a, gold, budget)) return true;
  const decimals = Math.max(roundedDigits(a), roundedDigits(gold));
  if (decimals === 0 || !isConstant(a) || !isConstant(gold)) return false;
  const [said, wanted] = [realOf(a, budget), realOf(gold, budget)];
  if (!said || !wanted || wanted.isInteger() || isWhole(a)) return false;
  const error = said.sub(wanted).abs();
  return error.lte(wanted.abs().mul(roundingSlack)) && error.lt(new Real(10).pow(-decimals));
}

const unsigned = (node: Node): Node => (node.kind === 'apply' && node.of === '-' ? unsigned(node.args[0]) : node);
const isWhole = (node: Node) => exact(node)?.d === 1n;

/** Number of decimals of a number that may be rounded; 0 for others and for formulas. */
function roundedDigits(node: Node): number {
  const number = unsigned(node);
  if (number.kind !== 'number' || number.decimals === 0) return 0;
  const digits = (number.value.abs().valueOf() * 10 ** number.decimals).toFixed(0).length;
  return digits >= leastDigits ? number.decimals : 0;
}

function realOf(node: Node, budget: Budget): Real | null {
  const rational = exact(node);
  if (rational) return new Real(`${rational.s * rational.n}`).div(new Real(`${rational.d}`));
  const value = valueAt(node, points(budget)[0]);
  return value?.im.isZero() && value.re.isFinite() ? value.re : null;
}

type Quantity = Extract<Node, { kind: 'quantity' }>;
const isPercent = (node: Node) => node.kind === 'apply' && node.of === '%';

/** Both may have a unit; a unit on only one side is ignored. */
export function sameQuantity(a: Node, gold: Node, budget: Budget): boolean {
  if (a.kind === 'quantity' && gold.kind === 'quantity') return sameUnits(a, gold, budget);
  const [said, wanted] = [a, gold].map((node) => (node.kind === 'quantity' ? node.value : node));
  if (isPercent(said) !== isPercent(wanted)) return samePercent(said, wanted, budget);
  if (sameValue(said, wanted, budget) || isThousands(said, wanted, budget)) return true;
  // Three quarters, counted by a digit.
  return [a, gold].some(isQuarters) && sameValue(inDollars(a), inDollars(gold), budget);
}

const isQuarters = (node: Node) =>
  node.kind === 'quantity' && node.unit.dimension === 'usd' && node.unit.factor === 0.25;
const inDollars = (node: Node) =>
  node.kind === 'quantity' && isQuarters(node) ? apply('/', node.value, whole(4)) : node;

/** 120° is 2π/3 radians; null for what is no angle. */
function radiansOf({ value, unit }: Quantity): Node | null {
  if (unit.dimension === 'rad') return value;
  return unit.dimension === 'deg' ? apply('/', apply('*', value, symbol('π')), whole(180)) : null;
}

function sameUnits(a: Quantity, gold: Quantity, budget: Budget): boolean {
  const [angle, goldAngle] = [radiansOf(a), radiansOf(gold)];
  if (angle && goldAngle) return sameValue(angle, goldAngle, budget);
  if (a.unit.dimension !== gold.unit.dimension) return false;
  if (a.unit.factor === gold.unit.factor) return sameValue(a.value, gold.value, budget);
  // By their digits: 1 lb is 16 oz exactly.
  const rate = new Fraction(String(a.unit.factor)).div(String(gold.unit.factor));
  const simple = rate.simplify(1e-12);
  return sameValue(apply('*', a.value, { kind: 'number', value: simple, decimals: 0 }), gold.value, budget);
}

/**
 * 25% is 0.25; it is also 25 if the other value has no percent sign and is unlikely to be a fraction: an integer, or
 * above 1.
 */
function samePercent(a: Node, gold: Node, budget: Budget): boolean {
  if (sameValue(a, gold, budget)) return true;
  const [percent, plain] = isPercent(a) ? [a, gold] : [gold, a];
  const bare = percent.kind === 'apply' ? percent.args[0] : percent;
  const value = exact(plain);
  const canBePercent = value && (value.d === 1n || value.abs().gt(1) || isPercent(gold));
  if (!canBePercent) return false;
  return isPercent(a) ? sameValue(bare, gold, budget) : sameValue(a, bare, budget);
}

/** "70k" for a reference of 70000: a letter k after a number, if the reference has no unknowns. */
function isThousands(a: Node, gold: Node, budget: Budget): boolean {
  if (a.kind !== 'apply' || a.of !== '*' || a.args[1].kind !== 'symbol' || !/^[kK]$/.test(a.args[1].name)) return false;
  const thousand: Node = { kind: 'number', value: new Fraction(1000), decimals: 0 };
  return a.args[0].kind === 'number' && sameValue(apply('*', a.args[0], thousand), gold, budget);
}

type Clock = Extract<Node, { kind: 'clock' }>;

/** Times of day; 3:30 equals 3:30 PM if the other side omits am or pm. A full hour may be written as a number. */
export function sameTime(a: Node, gold: Node): boolean {
  if (a.kind === 'clock' && gold.kind === 'clock')
    return a.minutes === gold.minutes || (a.half !== gold.half && a.minutes % 720 === gold.minutes % 720);
  const [clock, other] = a.kind === 'clock' ? [a, gold] : [gold as Clock, a];
  if (other.kind !== 'number' || !clock.half || clock.minutes % 60 !== 0) return false;
  const hour = clock.minutes / 60;
  return other.value.equals(hour) || other.value.equals(hour % 12 || 12);
}

/** The parts of 3:2, 3 to 2, and of 3:25, which may be a time; null for others. */
export function ratioOf(node: Node): Node[] | null {
  if (node.kind === 'ratio') return node.parts;
  if (node.kind === 'range') return [node.from, node.to];
  if (node.kind !== 'clock' || node.half) return null;
  const parts = [Math.floor(node.minutes / 60), node.minutes % 60];
  return parts.map((part): Node => ({ kind: 'number', value: new Fraction(part), decimals: 0 }));
}

/** Equal up to a factor: 6:4 is 3:2. */
export function sameRatio(a: readonly Node[], gold: readonly Node[], budget: Budget): boolean {
  if (a.length !== gold.length) return false;
  return a.every((part, i) => sameExpression(apply('*', part, gold[0]), apply('*', gold[i], a[0]), budget));
}
