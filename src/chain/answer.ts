import Fraction from 'fraction.js';
import { lex, type Token } from './lexer';
import type { Span } from './types';

/** Which mark an answer was found behind; `number` is the last number of a text without a mark. */
export type AnswerKind = 'box' | 'hash' | 'line' | 'phrase' | 'number';

export interface Answer extends Span {
  /** A number in plain digits ("1080", "-10", "42.00", "3/4"), or a few words as they stand. */
  value: string;
  kind: AnswerKind;
}

/**
 * The final answer of a text. Looked for, in this order: the last \boxed{}, the last "#### n", the last "Answer:" or
 * "Final Answer:", the last "the answer is", and in lenient mode the last number anywhere.
 *
 * The first of these that is there decides: when nothing stands behind it, as in a text that was cut off at "Answer:",
 * there is no answer (lenient mode goes on to the last number). On an answer line the number after the last "=" counts,
 * else the first one. Currency, percent signs, units, LaTeX dress and well-formed thousands commas are dropped; 1,08 is
 * not a number. Without a number up to five words are an answer too ("Monday"), but not a placeholder such as "[number]".
 * `start` and `end` hold the value as it is written. Takes time linear in the length of the text.
 */
export function extractAnswer(text: string, mode: 'strict' | 'lenient' = 'strict'): Answer | null {
  const marked = behindBox(text) ?? behindHash(text) ?? behindLine(text) ?? behindPhrase(text);
  if (marked && marked.value !== '') return marked;
  return mode === 'lenient' ? lastNumber(text) : null;
}

/**
 * Whether two answers are the same: as exact rationals (42.00 = 42, 3/4 = 0.75, 1,080 = 1080, $18 = 18 dollars, 60% = 60), or
 * within 1e-6 * max(1, |b|); when one is not a number, letter by letter without case, spaces and LaTeX dress.
 */
export function sameAnswer(a: string, b: string): boolean {
  const [left, right] = [parseAnswer(a), parseAnswer(b)];
  if (left && right) {
    const size = right.abs();
    return left
      .sub(right)
      .abs()
      .lte((size.gt(1) ? size : new Fraction(1)).mul(tolerance));
  }
  return !left && !right && plainText(a) === plainText(b);
}

const tolerance = new Fraction(1, 1_000_000);

/** The value of an answer that is one number with its dress and units ("$1,080", "\frac{3}{4} cups"), else null. */
export function parseAnswer(text: string): Fraction | null {
  const tokens = lex(text.slice(0, longestLine));
  const first = tokens.findIndex((token) => token.kind !== 'word' && token.kind !== 'break');
  const found = numberAt(tokens, tokens[first]?.text === '-' ? first + 1 : first);
  const rest = found && tokens.slice(found.next);
  return rest?.every(({ kind }) => kind === 'word' || kind === 'break' || kind === 'open' || kind === 'close')
    ? new Fraction(found!.value)
    : null;
}

/** Most code units of a line that are read for an answer. */
const longestLine = 400;

/** An empty value: the mark is there, the answer is not. */
const nothing = (kind: AnswerKind, at: number): Answer => ({ value: '', kind, start: at, end: at });

function behindBox(text: string): Answer | null {
  const mark = text.lastIndexOf('\\boxed{');
  if (mark < 0) return null;
  const start = mark + '\\boxed{'.length;
  let depth = 1;
  let end = start;
  for (; end < text.length; end++) {
    if (text[end] === '{') depth++;
    else if (text[end] === '}' && --depth === 0) break;
  }
  const content = text.slice(start, end);
  if (depth > 0 || content.trim() === '') return nothing('box', start);
  // Only a content that is one number is a number: \boxed{2\sqrt{3}} and \boxed{(1, 2)} are kept as they stand.
  const label = content.lastIndexOf('=') + 1;
  if (parseAnswer(content.slice(label))) return numberIn(text, start + label, end, 'box');
  return { value: content.trim(), kind: 'box', start, end };
}

function behindHash(text: string): Answer | null {
  for (let mark = text.lastIndexOf('####'); mark >= 0; mark = mark > 3 ? text.lastIndexOf('####', mark - 4) : -1) {
    const line = lineAfter(text, mark + 4);
    if (/^\s*$/.test(text.slice(mark + 4, mark + 40)) && mark + 40 >= text.length) return nothing('hash', text.length);
    // Not a Markdown heading such as "#### Step 2" or "#### 1. Apples".
    const content = text.slice(line.start, line.end);
    if (/^[ \t]*[-−+]?[\\$€£]{0,2}[.\d]/.test(content) && !/^[ \t]*\d{1,3}[.)][ \t]+\S/.test(content)) {
      return numberIn(text, line.start, line.end, 'hash');
    }
  }
  return null;
}

function behindLine(text: string): Answer | null {
  const mark = lastMatch(text, /(?<![\p{L}\p{N}])answer[ \t*_]{0,8}[:：]/giu);
  return mark && valueIn(text, mark.end, 'line');
}

function behindPhrase(text: string): Answer | null {
  const mark = lastMatch(text, /(?<![\p{L}\p{N}])(?:the|final)[ \t]{1,4}answer[ \t]{1,4}is(?![\p{L}\p{N}])/giu);
  return mark && valueIn(text, mark.end, 'phrase');
}

function lastMatch(text: string, pattern: RegExp): Span | null {
  let last: Span | null = null;
  for (const match of text.matchAll(pattern)) last = { start: match.index, end: match.index + match[0].length };
  return last;
}

/** The line that begins at `from`, or the next one when it holds nothing but space and bold marks. */
function lineAfter(text: string, from: number): Span {
  const lead = /^[\s*_:]{0,16}/.exec(text.slice(from, from + 16))![0];
  const start = from + lead.length;
  const newline = text.indexOf('\n', start);
  return { start, end: Math.min(newline < 0 ? text.length : newline, start + longestLine) };
}

function valueIn(text: string, from: number, kind: AnswerKind): Answer {
  const { start, end } = lineAfter(text, from);
  const line = text.slice(start, end);
  const sentence = /^[^\n]*?[.!?](?=\s)/.exec(line)?.[0].length ?? line.length;
  for (const length of [sentence, line.length]) {
    const found = numberIn(text, start, start + length, kind);
    if (found.value !== '') return found;
  }
  const words = /^[^[\]{}<>\n]*/.exec(line)![0].replace(/[\s*_.!]+$/, '');
  const few = words.length > 0 && words.length <= 60 && words.split(/\s+/).length <= 5 && !/[[\]]/.test(line);
  return few ? { value: words, kind, start, end: start + words.length } : nothing(kind, start);
}

/** The number after the last "=" in the range, or else the first one; empty when there is none. */
function numberIn(text: string, start: number, end: number, kind: AnswerKind): Answer {
  const tokens = lex(text.slice(start, end));
  const equality = tokens.findLastIndex(({ kind }, i) => kind === 'equals' && firstNumber(tokens, i + 1));
  const found = firstNumber(tokens, equality + 1);
  return found
    ? { value: found.value, kind, start: start + found.start, end: start + found.end }
    : nothing(kind, start);
}

function lastNumber(text: string): Answer | null {
  let digit = text.length - 1;
  while (digit >= 0 && !(text[digit] >= '0' && text[digit] <= '9')) digit--;
  if (digit < 0) return null;
  const start = Math.max(0, digit - 200);
  const tokens = lex(text.slice(start, digit + 8));
  for (let i = tokens.length - 1; i >= 0; i--) {
    // In 3/4 the number begins before the stroke, in \frac{3}{4} before the command.
    const from = [5, 6, 2, 3].map((back) => i - back).find((j) => j >= 0 && (numberAt(tokens, j)?.next ?? 0) > i);
    const found = numberAt(tokens, from ?? i);
    if (found) return { value: found.value, kind: 'number', start: start + found.start, end: start + found.end };
  }
  return null;
}

interface FoundNumber extends Span {
  value: string;
  /** The index of the token behind. */
  next: number;
}

function firstNumber(tokens: Token[], from: number): FoundNumber | null {
  for (let i = from; i < tokens.length; i++) {
    const found = numberAt(tokens, i, from);
    if (found) return found;
  }
  return null;
}

/** The number at token `i`: whole, decimal, a/b, a b/c or \frac{a}{b}, with its sign unless that stands before `from`. */
function numberAt(tokens: Token[], i: number, from = 0): FoundNumber | null {
  const token = tokens[i];
  if (!token || (token.kind !== 'number' && token.kind !== 'fraction')) return null;
  let value = token.value;
  let written = token.text.replace(/[^\d.]/g, '');
  let next = i + 1;
  const isNumber = (at: number) => tokens[at]?.kind === 'number';
  if (token.kind === 'fraction') {
    const shape = tokens.slice(i + 1, i + 7).map(({ kind }) => kind);
    if (shape.join() !== 'open,number,close,open,number,close') return null;
    value = over(tokens[i + 2].value!, tokens[i + 5].value!);
    next = i + 7;
  } else if (tokens[next]?.text === '/' && isNumber(next + 1)) {
    value = over(token.value!, tokens[next + 1].value!);
    next += 2;
  } else if (token.decimals === 0 && isNumber(next) && tokens[next].spaced && tokens[next + 1]?.text === '/') {
    const part = isNumber(next + 2) ? over(tokens[next].value!, tokens[next + 2].value!) : undefined;
    if (part?.lt(1)) {
      value = token.value!.add(part);
      next += 3;
    }
  }
  if (!value) return null;
  if (next > i + 1 || !written) written = value.toFraction();
  const sign = tokens[i - 1];
  const before = tokens[i - 2];
  const negative =
    i > from &&
    sign?.text === '-' &&
    (i - 1 === from || (!token.spaced && !['number', 'close', 'variable'].includes(before?.kind)));
  const start = negative ? sign.start : token.start;
  return { value: negative ? `-${written}` : written, start, end: tokens[next - 1].end, next };
}

function over(numerator: Fraction, denominator: Fraction): Fraction | undefined {
  return denominator.n === 0n ? undefined : numerator.div(denominator);
}

function plainText(text: string): string {
  return text
    .replace(/\\(?:text|mathrm|textbf|mathbf|left|right)\b|\\[,;:! ]|[\s${}*_]/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}
