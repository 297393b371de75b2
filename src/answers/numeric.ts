/** Evaluates expressions at points, to fifty digits, to compare expressions with roots, constants and unknowns. */
import * as complex from './complex';
import { type Complex, divide, hasValue, isReal, multiply, pi, Real, real } from './complex';
import { exact } from './exact';
import { keyOf, type Node, partsOf } from './node';

/**
 * Operations per comparison; a function costs more than a sum. Counted, not timed, so that a verdict never depends on
 * the machine.
 */
export class Budget {
  constructor(private left = 12_000) {}

  spend(cost: number): void {
    this.left -= cost;
    if (this.left < 0) throw new OutOfBudget();
  }
}

/** The comparison would take too long. */
export class OutOfBudget extends Error {}

/** Names that are not unknowns. */
const constants = new Map<string, Complex>([
  ['π', { re: pi, im: new Real(0) }],
  ['e', real(new Real(1).exp())],
  ['i', { re: new Real(0), im: new Real(1) }],
]);

/** Whether a tree has a value: it contains no words, sets or lists. */
export function isExpression(node: Node): boolean {
  if (node.kind === 'number' || node.kind === 'based') return true;
  if (node.kind === 'symbol') return node.name !== '∞' && node.name !== '∅';
  return node.kind === 'apply' && !/^[∪∩∖±∓]$/.test(node.of) && node.args.every(isExpression);
}

/** Whether a tree has no unknowns, so that its value is one number. */
export function isConstant(node: Node): boolean {
  for (const part of partsOf(node)) {
    if (part.kind === 'symbol' && !constants.has(part.name)) return false;
    if (part.kind === 'apply' && / /.test(part.of) && !part.of.startsWith('log ')) return false;
  }
  return true;
}

export interface Point {
  /** The value of an unknown at this point. */
  at(name: string): Complex;
  budget: Budget;
}

/** The points: unknowns between 0 and 1, above 1, and of either sign. */
export const points = (budget: Budget): Point[] => ranges.map((range, i) => pointIn(range, i, budget));

const ranges = [
  [0, 1],
  [1, 3],
  [-3, 3],
  [-2, 0],
] as const;

function pointIn([low, high]: readonly [number, number], salt: number, budget: Budget): Point {
  return { budget, at: (name) => real(new Real(share(`${salt} ${name}`)).mul(high - low).add(low)) };
}

/** A fixed number between 0 and 1 for each text. */
function share(text: string): string {
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b + text.charCodeAt(i), 0x85ebca6b) ^ (b >>> 13);
  }
  return `0.${String(100_000 + ((a >>> 0) % 900_000))}${String(100_000 + ((b >>> 0) % 900_000))}`;
}

/** The value at a point; null if there is none. */
export function valueAt(node: Node, point: Point): Complex | null {
  point.budget.spend(1);
  if (node.kind === 'number') return real(new Real(`${node.value.s * node.value.n}`).div(new Real(`${node.value.d}`)));
  if (node.kind === 'symbol') return constants.get(node.name) ?? point.at(node.name);
  if (node.kind === 'based') return point.at(keyOf(node));
  if (node.kind !== 'apply') return null;
  const args: Complex[] = [];
  for (const arg of node.args) {
    const value = valueAt(arg, point);
    if (!value || !hasValue(value)) return null;
    args.push(value);
  }
  return operate(node, args, point);
}

function operate(node: Extract<Node, { kind: 'apply' }>, args: Complex[], point: Point): Complex | null {
  const [a, b] = args;
  switch (node.of) {
    case '+':
      return complex.add(a, b);
    case '-':
      return complex.negate(a);
    case '*':
      return multiply(a, b);
    case '/':
      return divide(a, b);
    case '%':
      return divide(a, real(100));
    case '^':
      point.budget.spend(40);
      return complex.power(a, b);
    case 'root':
      point.budget.spend(40);
      return rootOf(a, b);
    case 'abs':
      return { re: complex.size(a), im: new Real(0) };
    case '!':
      point.budget.spend(60);
      return factorial(a, point);
    case 'binom': {
      point.budget.spend(180);
      const [over, chosen, rest] = [a, b, complex.add(a, complex.negate(b))].map((n) => factorial(n, point));
      return over && chosen && rest && divide(over, multiply(chosen, rest));
    }
    default:
      point.budget.spend(60);
      return realFunction(node.of, args) ?? nameless(node, args, point);
  }
}

/** Factorials of larger numbers are not evaluated. */
const largestFactorial = 200;

/**
 * n! between the whole numbers: a pseudo-random value between 0 and 1, and n! = n (n-1)! everywhere else. Formulas are
 * thus only equal if that follows from this rule; null for negative whole numbers.
 */
function factorial({ re, im }: Complex, point: Point): Complex | null {
  if (!im.isZero() || re.abs().gt(largestFactorial)) return null;
  const n = re.toDecimalPlaces(40);
  const part = n.sub(n.floor());
  let value = part.isZero() ? real(1) : point.at(`! ${part}`);
  for (let x = part.add(1); x.lte(n); x = x.add(1)) value = multiply(value, real(x));
  for (let x = part; x.gt(n); x = x.sub(1)) {
    if (x.isZero()) return null;
    value = divide(value, real(x))!;
  }
  return value;
}

/** An odd root of a negative number is real. */
function rootOf(value: Complex, degree: Complex): Complex | null {
  const share = divide(real(1), degree);
  const odd = degree.re.isInteger() && !degree.re.mod(2).isZero();
  if (!share) return null;
  if (!odd || !isReal(value) || !value.re.isNegative()) return complex.power(value, share);
  const positive = complex.power(complex.negate(value), share);
  return positive && complex.negate(positive);
}

/** Functions of real arguments; undefined for other names. */
function realFunction(name: string, args: Complex[]): Complex | null | undefined {
  if (name === 'exp') return complex.exponential(args[0]);
  if (name === 'ln') return complex.logarithm(args[0]);
  const base = name === 'log' || name === 'lg' ? '10' : /^log (\d{1,6}(?:\.\d{1,6})?)$/.exec(name)?.[1];
  if (base) {
    const [over, under] = [complex.logarithm(args[0]), complex.logarithm(real(base))];
    return over && under && divide(over, under);
  }
  const compute = real1[name];
  if (!compute) return undefined;
  const x = args[0].re;
  if (!isReal(args[0]) || x.abs().gt(100_000)) return null;
  const value = compute(x);
  return value?.isFinite() ? real(value) : null;
}

const inverse = (x: Real) => (x.isZero() ? null : new Real(1).div(x));
const real1: Record<string, (x: Real) => Real | null> = {
  sin: (x) => x.sin(),
  cos: (x) => x.cos(),
  tan: (x) => x.tan(),
  cot: (x) => inverse(x.tan()),
  sec: (x) => inverse(x.cos()),
  csc: (x) => inverse(x.sin()),
  arcsin: (x) => x.asin(),
  arccos: (x) => x.acos(),
  arctan: (x) => x.atan(),
  sinh: (x) => (x.abs().gt(1000) ? null : x.sinh()),
  cosh: (x) => (x.abs().gt(1000) ? null : x.cosh()),
  tanh: (x) => (x.abs().gt(1000) ? null : x.tanh()),
  floor: (x) => x.floor(),
  ceil: (x) => x.ceil(),
};

/** A function without a known meaning: a pseudo-random number determined by its arguments. */
function nameless(node: Extract<Node, { kind: 'apply' }>, args: Complex[], point: Point): Complex {
  const values = args.map(({ re, im }) => `${re.toSignificantDigits(30)},${im.toSignificantDigits(30)}`);
  return point.at(`${node.of}(${values.join(';')})`);
}

/** Equal to thirty digits, relative to the larger. */
export function isSame(a: Complex, b: Complex): boolean {
  const scale = Real.max(complex.size(a), complex.size(b), '1e-30');
  return complex.size(complex.add(a, complex.negate(b))).lte(scale.mul('1e-30'));
}

/**
 * Whether two expressions are equal wherever both are defined: exactly if they are rational, else to thirty digits at
 * four points. A difference where only one of the two is real is ignored, as a root of a negative number has several
 * values.
 */
export function sameExpression(a: Node, b: Node, budget: Budget): boolean {
  const [left, right] = [exact(a), exact(b)];
  if (left && right) return left.equals(right);
  if (keyOf(a) === keyOf(b)) return true;
  const enough = isConstant(a) && isConstant(b) ? 1 : 2;
  let agreed = 0;
  for (const point of points(budget)) {
    const [x, y] = [valueAt(a, point), valueAt(b, point)];
    if (!x || !y || !hasValue(x) || !hasValue(y)) continue;
    if (isSame(x, y)) agreed++;
    else if (isReal(x) === isReal(y)) return false;
  }
  return agreed >= enough;
}
