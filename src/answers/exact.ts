/** Exact values of answers: rationals, and exact operations on them. */
import Fraction from 'fraction.js';
import type { Node } from './node';

/** Powers and factorials with more digits are not evaluated. */
const maxBits = 20_000;
const maxFactorial = 1500;

/** The rational value of a tree, or null if it has none or is too long to write out. A percent is a hundredth. */
export function exact(node: Node): Fraction | null {
  if (node.kind === 'number') return node.value;
  if (node.kind !== 'apply') return null;
  const args: Fraction[] = [];
  for (const arg of node.args) {
    const value = exact(arg);
    if (!value) return null;
    args.push(value);
  }
  return operate(node.of, args);
}

function operate(of: string, [a, b]: Fraction[]): Fraction | null {
  switch (of) {
    case '+':
      return a.add(b);
    case '-':
      return a.neg();
    case '*':
      return bits(a) + bits(b) > maxBits ? null : a.mul(b);
    case '/':
      return b.n === 0n || bits(a) + bits(b) > maxBits ? null : a.div(b);
    case '^':
      return power(a, b);
    case '%':
      return a.div(100);
    case '!':
      return factorial(a, 1n);
    case '!!':
      return factorial(a, 2n);
    case 'abs':
      return a.abs();
    case 'floor':
      return a.floor();
    case 'ceil':
      return a.ceil();
    case 'binom':
      return binomial(a, b);
    case 'root':
      return b.d === 1n && b.n > 0n ? rootOf(a, Number(b.n)) : null;
    default:
      return null;
  }
}

const bits = ({ n, d }: Fraction) => n.toString(16).length * 4 + d.toString(16).length * 4;

function power(base: Fraction, exponent: Fraction): Fraction | null {
  if (exponent.d !== 1n) {
    if (exponent.d > 12n || exponent.n > 24n) return null;
    const root = base.s < 0n ? null : rootOf(base, Number(exponent.d));
    return root && power(root, new Fraction(exponent.s * exponent.n));
  }
  if (base.n === 0n) return exponent.s > 0n ? base : null;
  if (exponent.n > 20_000n || BigInt(bits(base)) * exponent.n > BigInt(maxBits)) return null;
  return base.pow(exponent) ?? null;
}

/** The root if it is rational. */
function rootOf({ s, n, d }: Fraction, degree: number): Fraction | null {
  if (degree > 24 || (s < 0n && degree % 2 === 0)) return null;
  const [over, under] = [wholeRoot(n, degree), wholeRoot(d, degree)];
  return over === null || under === null ? null : new Fraction(s < 0n ? -over : over, under);
}

function wholeRoot(n: bigint, degree: number): bigint | null {
  if (n < 2n) return n;
  const k = BigInt(degree);
  // Newton's iteration from above.
  let root = 1n << BigInt(Math.ceil((n.toString(16).length * 4) / degree) + 1);
  for (;;) {
    const next = ((k - 1n) * root + n / root ** (k - 1n)) / k;
    if (next >= root) break;
    root = next;
  }
  return root ** k === n ? root : null;
}

/** n (n - step) (n - 2 step) ... */
function factorial(value: Fraction, step: bigint): Fraction | null {
  if (value.d !== 1n || value.s < 0n || value.n > maxFactorial) return null;
  let product = 1n;
  for (let i = value.n; i > 1n; i -= step) product *= i;
  return new Fraction(product);
}

function binomial(a: Fraction, b: Fraction): Fraction | null {
  if (a.d !== 1n || b.d !== 1n || a.s < 0n || b.s < 0n || a.n > maxFactorial || b.n > a.n) return null;
  let value = 1n;
  for (let i = 1n; i <= b.n; i++) value = (value * (a.n - b.n + i)) / i;
  return new Fraction(value);
}
