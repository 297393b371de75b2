import type Fraction from 'fraction.js';
import type { Token } from './lexer';
import type { Span } from './types';

/** A number as it stands in a text: plain digits ("1080", "-10", "42.00") or a fraction ("3/4"). */
export interface FoundNumber extends Span {
  value: string;
  /** The index of the token behind. */
  next: number;
}

/** The first number from token `from` on. */
export function firstNumber(tokens: Token[], from: number): FoundNumber | null {
  for (let i = from; i < tokens.length; i++) {
    const found = numberAt(tokens, i, from);
    if (found) return found;
  }
  return null;
}

/** The number at token `i`: whole, decimal, a/b, a b/c, a½ or \frac{a}{b}, with its sign unless that stands before `from`. */
export function numberAt(tokens: Token[], i: number, from = 0): FoundNumber | null {
  const token = tokens[i];
  if (!token || (token.kind !== 'number' && token.kind !== 'fraction')) return null;
  const fraction = fractionAt(tokens, i);
  let { value, next } = fraction ?? { value: token.value, next: i + 1 };
  if (!fraction && token.decimals === 0) {
    const part = token.value!.d === 1n ? partAt(tokens, next) : null;
    if (part) [value, next] = [token.value!.add(part.value), part.next];
  }
  if (!value) return null;
  const digits = token.text.replace(/[^\d.]/g, '');
  const written = next > i + 1 || !digits ? value.toFraction() : digits;
  const sign = tokens[i - 1];
  const before = tokens[i - 2];
  const negative =
    i > from &&
    sign?.text === '-' &&
    (i - 1 === from || (!token.spaced && !['number', 'close', 'variable'].includes(before?.kind)));
  const start = negative ? sign.start : token.start;
  return { value: negative ? `-${written}` : written, start, end: tokens[next - 1].end, next };
}

interface Value {
  value: Fraction;
  /** The index of the token behind. */
  next: number;
}

/** a/b, \frac{a}{b} or \frac12 at token `i`. */
function fractionAt(tokens: Token[], i: number): Value | null {
  const number = (at: number) => (tokens[at]?.kind === 'number' ? tokens[at].value : undefined);
  const over = (a: Fraction | undefined, b: Fraction | undefined, next: number) =>
    a && b && b.n !== 0n ? { value: a.div(b), next } : null;
  if (tokens[i]?.kind === 'number') return tokens[i + 1]?.text === '/' ? over(number(i), number(i + 2), i + 3) : null;
  if (tokens[i]?.kind !== 'fraction') return null;
  const digits = /^(\d)(\d)$/.exec(tokens[i + 1]?.text ?? '');
  if (digits && number(i + 1)) {
    const value = number(i + 1)!;
    return over(value.div(10).floor(), value.mod(10), i + 2);
  }
  const shape = tokens.slice(i + 1, i + 7).map(({ kind }) => kind);
  return shape.join() === 'open,number,close,open,number,close' ? over(number(i + 2), number(i + 5), i + 7) : null;
}

/** What makes a mixed number of the whole number before token `i`: " 1/2", "½", "\frac{1}{2}"; less than one. */
function partAt(tokens: Token[], i: number): Value | null {
  const token = tokens[i];
  if (!token) return null;
  const sign = token.kind === 'number' && !/\d/.test(token.text) ? { value: token.value!, next: i + 1 } : null;
  const part = sign ?? (token.spaced || token.kind === 'fraction' ? fractionAt(tokens, i) : null);
  return part?.value.lt(1) ? part : null;
}

/**
 * The number of a text that says nothing else: "$1,080", "about 18 dollars", "60 miles/hour", "5 m^2", "90^\circ", "42 (6 * 7)";
 * null for "3\sqrt{2}", "2x", "10^3", "5 - 3" and "(1, 2)".
 */
export function quantityIn(tokens: Token[]): FoundNumber | null {
  const first = tokens.findIndex((token) => token.kind !== 'word' && !isPause(token));
  const signed = /^[-+]$/.test(tokens[first]?.text ?? '');
  const found = first < 0 ? null : numberAt(tokens, signed ? first + 1 : first);
  return found && isUnit(tokens, found.next) ? found : null;
}

/** An end of a clause that compares nothing: "." but not "<". */
export const isPause = ({ kind, text }: Token) => kind === 'break' && /^[.,;:!?…—•|]?$/.test(text);

/** Letters that are units behind a number; others, as in "2x", are unknowns. */
const unitLetter = /^[mglhsdLWVAJCFN]$/;

/** Whether all tokens from `from` on are units, words or an aside that computes the number once more. */
function isUnit(tokens: Token[], from: number): boolean {
  for (let i = from; i < tokens.length; i++) {
    const { kind, text, spaced } = tokens[i];
    const isName = (at: number) => tokens[at]?.kind === 'word' || unitLetter.test(tokens[at]?.text ?? '');
    if (kind === 'word' || isPause(tokens[i]) || kind === 'close' || unitLetter.test(text)) continue;
    if (kind === 'open') {
      if (spaced) i = aside(tokens, i);
      continue;
    }
    if (kind === 'other' && !isMathematical(tokens[i])) continue;
    if (text === '/' && isName(i + 1)) continue;
    if (text === '^' && (isDegree(tokens, i + 1) || isName(i - 1))) {
      i = endOfGroup(tokens, i + 1);
      continue;
    }
    if ('+-*'.includes(text) && i === tokens.length - 1) continue; // a dash or a mark of emphasis
    return false;
  }
  return true;
}

/** The last token of a bracket that is opened at `i` and holds no unknown; `i` itself where it does. */
function aside(tokens: Token[], i: number): number {
  const end = endOfGroup(tokens, i);
  return tokens.slice(i, end).some(({ kind }) => kind === 'variable') ? i : end;
}

/** The index of the bracket that closes what `i` opens, or `i` when it opens nothing. */
function endOfGroup(tokens: Token[], i: number): number {
  let depth = 0;
  for (let at = i; at < tokens.length; at++) {
    if (tokens[at].kind === 'open') depth++;
    else if (tokens[at].kind === 'close') depth--;
    if (depth === 0) return at;
  }
  return i;
}

const isDegree = (tokens: Token[], i: number) =>
  tokens[i]?.text === '\\circ' || (tokens[i]?.kind === 'open' && tokens[i + 1]?.text === '\\circ');

/** Whether what no arithmetic holds is mathematics nevertheless: a LaTeX command, √, (1,2), 5:30; not an emoji or a lone bracket. */
export const isMathematical = ({ kind, text }: Token) => kind === 'other' && /^\\|\d|[√∞∪∩^]/.test(text);
