import Fraction from 'fraction.js';
import { lex, type Token } from './lexer';
import { firstNumber, isMathematical, isPause, numberAt, quantityIn } from './quantity';
import type { Span } from './types';

/** Which mark an answer was found behind; `number` is the last number of a text without a mark. */
export type AnswerKind = 'box' | 'hash' | 'line' | 'phrase' | 'number';

export interface Answer extends Span {
  /** A number in plain digits ("1080", "-10", "42.00", "3/4"), or a formula or a few words as they stand. */
  value: string;
  kind: AnswerKind;
}

/**
 * The final answer of a text. Looked for, in this order: the last \boxed{}, the last "#### n", the last "Answer:" or
 * heading "Final Answer", the last "the answer is", and in lenient mode the last number anywhere.
 *
 * The first of these that is there decides: when nothing stands behind it, as in a text that was cut off at "Answer:",
 * there is no answer (lenient mode goes on to the last number). On an answer line what stands after the last "=" counts: a
 * formula as it stands (3\sqrt{2}, 2x, (1, 2), and 5 - 3, which nobody has computed), else the first number. Currency, percent signs,
 * units, LaTeX dress and well-formed thousands commas are dropped; 1,08 is not a number. Without a number up to five words are
 * an answer too ("Monday"), but not a placeholder such as "[number]".
 * `start` and `end` hold the value as it is written. Takes time linear in the length of the text.
 */
export function extractAnswer(text: string, mode: 'strict' | 'lenient' = 'strict'): Answer | null {
  const marked = behindBox(text) ?? behindHash(text) ?? behindLine(text) ?? behindPhrase(text);
  if (marked && marked.value !== '') return marked;
  return mode === 'lenient' ? lastNumber(text) : null;
}

/**
 * Whether two answers are the same: as exact rationals (42.00 = 42, 3/4 = 0.75, 1,080 = 1080, $18 = 18 dollars, 60% = 60), or
 * within 1e-6 * max(1, |b|); when one is not a number, letter by letter without case, spaces and LaTeX dress. A name ("x = 5")
 * or a unit ("3\sqrt{2} cm") that only one of them gives makes no difference.
 */
export function sameAnswer(a: string, b: string): boolean {
  const [left, right] = [dissect(a), dissect(b)];
  if (!agree(left.name, right.name)) return false;
  const [x, y] = [parseAnswer(left.value), parseAnswer(right.value)];
  if (x && y) return isNear(x, y);
  return !x && !y && sameFormula(left.value, right.value);
}

/** "x = 5" as its name and its value; any other text is a value. */
function dissect(text: string): { name: string; value: string } {
  const [name, value, ...more] = text.slice(0, longestLine + 1).split('=');
  const named = value?.trim() && more.length === 0 && !/\d/.test(name) && text.length <= longestLine;
  return named ? { name: plainText(name), value } : { name: '', value: text };
}

const agree = (a: string, b: string) => a === '' || b === '' || a === b;

function isNear(a: Fraction, b: Fraction): boolean {
  const size = b.abs();
  return a
    .sub(b)
    .abs()
    .lte((size.gt(1) ? size : new Fraction(1)).mul(tolerance));
}

/** Letter by letter. */
function sameFormula(a: string, b: string): boolean {
  if (plainText(a) === plainText(b)) return true;
  const [left, right] = [withoutUnit(a), withoutUnit(b)];
  return agree(left.unit, right.unit) && plainText(left.value) === plainText(right.value);
}

/** A formula and the words behind it. */
function withoutUnit(text: string): { value: string; unit: string } {
  const unit =
    text.length > longestLine
      ? null
      : /(?<=[\d)}\]π]\$?)(?:\s*\\(?:text|mathrm|mbox)\{[^{}\d]*\}|\s+\p{L}[^\d\\{}=^]*)$/u.exec(text);
  return unit ? { value: text.slice(0, unit.index), unit: plainText(unit[0]) } : { value: text, unit: '' };
}

const tolerance = new Fraction(1, 1_000_000);

/** The value of an answer that is one number with its dress and units ("$1,080", "\frac{3}{4} cups"), else null. */
export function parseAnswer(text: string): Fraction | null {
  const found = quantityIn(lex(text.slice(0, longestLine)));
  return found && new Fraction(found.value);
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
  if (parseAnswer(content.slice(label))) return numberIn(lex(content.slice(label)), start + label, 'box');
  return { value: content.trim(), kind: 'box', start, end };
}

function behindHash(text: string): Answer | null {
  for (let mark = text.lastIndexOf('####'); mark >= 0; mark = mark > 3 ? text.lastIndexOf('####', mark - 4) : -1) {
    const line = lineAfter(text, mark + 4);
    if (/^\s*$/.test(text.slice(mark + 4, mark + 40)) && mark + 40 >= text.length) return nothing('hash', text.length);
    // Not a Markdown heading such as "#### Step 2" or "#### 1. Apples".
    const content = text.slice(line.start, line.end);
    if (/^[ \t]*[-−+]?[\\$€£]{0,2}[.\d]/.test(content) && !/^[ \t]*\d{1,3}[.)][ \t]+\S/.test(content)) {
      return formulaOrNumber(text, line.start, line.end, 'hash');
    }
  }
  return null;
}

/** "Answer:", or a line that is the heading "Final Answer". */
const answerMark =
  /(?<![\p{L}\p{N}])answer[ \t*_]{0,8}[:：]|(?<=^|\n)[ \t>#*_-]{0,8}final[ \t]answer[ \t#*_]{0,8}(?=\n|$)/giu;

function behindLine(text: string): Answer | null {
  const mark = lastMatch(text, answerMark);
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

/** The line that begins at `from`, or the next one, less its bullet, when it holds nothing but space and bold marks. */
function lineAfter(text: string, from: number): Span {
  const lead = /^(?:[\s*_:]|\\[[(]|\$\$){0,16}/.exec(text.slice(from, from + 32))![0];
  const bullet = lead.includes('\n')
    ? /^[-–][ \t]{1,8}/.exec(text.slice(from + lead.length, from + lead.length + 16))
    : null;
  const start = from + lead.length + (bullet?.[0].length ?? 0);
  const newline = text.indexOf('\n', start);
  return { start, end: Math.min(newline < 0 ? text.length : newline, start + longestLine) };
}

function valueIn(text: string, mark: number, kind: AnswerKind): Answer {
  const { start, end } = lineAfter(text, mark);
  const line = text.slice(start, end);
  const sentence = /^[^\n]*?(?<!\\)[.!?](?=\s)/.exec(line)?.[0].length ?? line.length;
  for (const length of [sentence, line.length]) {
    const found = formulaOrNumber(text, start, start + length, kind);
    if (found.value !== '') return found;
  }
  const from = start + (/^\$?\\(?:text|textbf|mathrm|mbox)\{/.exec(line)?.[0].length ?? 0);
  const words = /^[^[\]{}<>\n]*/.exec(text.slice(from, end))![0].replace(/[\s*_.!]+$/, '');
  const few = words.length > 0 && words.length <= 60 && words.split(/\s+/).length <= 5 && !/[[\]]/.test(line);
  return few ? { value: words, kind, start: from, end: from + words.length } : nothing(kind, start);
}

/** What the range says in mathematics; empty when it says nothing so. */
function formulaOrNumber(text: string, start: number, end: number, kind: AnswerKind): Answer {
  const tokens = lex(text.slice(start, end));
  return formulaIn(tokens, text, start, kind) ?? numberIn(tokens, start, kind);
}

/** Most code units of a formula that is an answer. */
const longestFormula = 120;

/**
 * What stands after the last "=" of `all`, the tokens of `text` from `at` on, when it is mathematics (with at most five words behind) and
 * not just one number; else null.
 */
function formulaIn(all: Token[], text: string, at: number, kind: AnswerKind): Answer | null {
  const tokens = all.slice(all.findLastIndex(({ kind }, i) => kind === 'equals' && i < all.length - 1) + 1);
  while (tokens.length > 0 && isPause(tokens[0])) tokens.shift();
  while (tokens.length > 0 && isPause(tokens.at(-1)!)) tokens.pop();
  if (tokens.length === 0 || quantityIn(tokens)) return null;
  const [start, end] = [at + tokens[0].start, at + tokens.at(-1)!.end];
  const value = text.slice(start, end);
  return value.length <= longestFormula && isFormula(tokens, value) ? { value, kind, start, end } : null;
}

/** Whether a text is mathematics, and no prose that holds a number: words only at its end, and no number behind them. */
function isFormula(tokens: Token[], text: string): boolean {
  if (text.startsWith('\\begin{')) return true;
  const word = tokens.findIndex(({ kind }) => kind === 'word');
  const body = word < 0 ? tokens : tokens.slice(0, word);
  const tail = word < 0 ? '' : text.slice(tokens[word].start - tokens[0].start);
  if (body.length > 0 && /^or\b/i.test(tail)) return true; // "12 or 13" is neither
  const mathematical = body.some(
    (token) => ['number', 'variable', 'fraction'].includes(token.kind) || isMathematical(token),
  );
  return (
    mathematical && !quantityIn(body) && tail.split(/\s+/).length <= 5 && !/\d/.test(tail.replace(/\^\{?\d\}?/g, ''))
  );
}

/** The number after the last "=" of the tokens, which begin at `at`, or else the first one; empty when there is none. */
function numberIn(tokens: Token[], at: number, kind: AnswerKind): Answer {
  const equality = tokens.findLastIndex(({ kind }, i) => kind === 'equals' && firstNumber(tokens, i + 1));
  const found = firstNumber(tokens, equality + 1);
  return found ? { value: found.value, kind, start: at + found.start, end: at + found.end } : nothing(kind, at);
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

function plainText(text: string): string {
  return text
    .replace(/\\(?:text|mathrm|textbf|mathbf|left|right)\b|\\[,;:! ]|[\s${}*_]/g, '')
    .replace(/\.$/, '')
    .replace(/^\((\p{L})\)$/u, '$1') // a choice: (B)
    .toLowerCase();
}
