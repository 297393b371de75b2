/** Complex numbers of fifty digits, on decimal.js. */
import { Decimal } from 'decimal.js';

export const Real = Decimal.clone({ precision: 50, toExpNeg: -40, toExpPos: 40 });
export type Real = Decimal;

export interface Complex {
  re: Real;
  im: Real;
}

const zero = new Real(0);
export const pi = new Real('3.14159265358979323846264338327950288419716939937510582097494459');
export const real = (value: Decimal.Value): Complex => ({ re: new Real(value), im: zero });
export const isReal = ({ re, im }: Complex) => im.abs().lte(re.abs().mul('1e-40').add('1e-40'));
export const hasValue = ({ re, im }: Complex) => re.isFinite() && im.isFinite();
export const add = (a: Complex, b: Complex): Complex => ({ re: a.re.add(b.re), im: a.im.add(b.im) });
export const negate = (a: Complex): Complex => ({ re: a.re.neg(), im: a.im.neg() });
export const size = (a: Complex): Real => a.re.mul(a.re).add(a.im.mul(a.im)).sqrt();

export function multiply(a: Complex, b: Complex): Complex {
  if (a.im.isZero() && b.im.isZero()) return { re: a.re.mul(b.re), im: zero };
  return { re: a.re.mul(b.re).sub(a.im.mul(b.im)), im: a.re.mul(b.im).add(a.im.mul(b.re)) };
}

/** Null for a division by zero. */
export function divide(a: Complex, b: Complex): Complex | null {
  const norm = b.re.mul(b.re).add(b.im.mul(b.im));
  if (norm.isZero()) return null;
  const over = multiply(a, { re: b.re, im: b.im.neg() });
  return { re: over.re.div(norm), im: over.im.div(norm) };
}

export function exponential(a: Complex): Complex | null {
  if (a.re.abs().gt(5000) || a.im.abs().gt(1000)) return null;
  const scale = a.re.exp();
  return a.im.isZero() ? { re: scale, im: zero } : { re: scale.mul(a.im.cos()), im: scale.mul(a.im.sin()) };
}

/** The principal value; null for zero. */
export function logarithm(a: Complex): Complex | null {
  if (a.re.isZero() && a.im.isZero()) return null;
  if (a.im.isZero()) return { re: a.re.abs().ln(), im: a.re.isNegative() ? pi : zero };
  return { re: size(a).ln(), im: Decimal.atan2.call(Real, a.im, a.re) };
}

/** The principal value. Whole exponents are multiplied out. */
export function power(base: Complex, exponent: Complex): Complex | null {
  if (exponent.im.isZero() && exponent.re.isInteger() && exponent.re.abs().lte(64)) {
    let product = real(1);
    for (let i = exponent.re.abs().toNumber(); i > 0; i--) product = multiply(product, base);
    return exponent.re.isNegative() ? divide(real(1), product) : product;
  }
  if (base.re.isZero() && base.im.isZero()) return exponent.re.isPositive() ? base : null;
  if (exponent.im.isZero() && exponent.re.eq('0.5') && base.im.isZero()) {
    const root = base.re.abs().sqrt();
    return base.re.isNegative() ? { re: zero, im: root } : { re: root, im: zero };
  }
  const log = logarithm(base);
  return log && exponential(multiply(exponent, log));
}
