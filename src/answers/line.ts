/** Reads the value in an answer line. */
import { writtenAbbreviations } from './abbreviations';
import { dateIn } from './dates';
import { lex, type Token } from './lexer';
import { keyOf, type Node, partsOf } from './node';
import { isConstant, isExpression } from './numeric';
import { parseValueAt } from './parser';
import { readingsOf } from './readings';
import { solved } from './relations';
import type { Span } from './span';
import { verdictAtStart } from './words';

/** A value and its range. */
export interface Said extends Span {
  value: string;
}

/** Maximum code units of a line that are read. */
export const longestLine = 400;
/** Maximum words and code units of an answer in words. */
const maxWords = 5;
const longestWords = 60;

/**
 * The answer in a line, from `start` to `end` of `text`: the whole line if it is a value (a number, a formula, a list),
 * else the first clause with one. In a sentence the last number counts ("2 workers 6 days"), unless numbers are joined
 * ("3 apples and 4 pears"), negated or compared: then it is the whole clause, which equals no number. Without any
 * number, a few words.
 */
export function readLine(text: string, start: number, end: number): Said | null {
  const line = trimmed(text, start, end);
  if (line.start >= line.end || placeholder.test(text.slice(line.start, line.end))) return null;
  const whole = wholeValue(text, line);
  if (whole) return whole;
  const source = text.slice(line.start, line.end);
  if (severalChoices.test(source) || dateIn(source)) return said(text, line.start, source.length);
  const point = lastPoint.exec(source);
  if (point && !/\d/.test(source.slice(0, point.index))) return said(text, line.start + point.index, point[0].length);
  const listed = listIn(text, line);
  if (listed) return listed;
  const clauses = clausesOf(text, line);
  for (const [i, clause] of clauses.entries()) {
    const words = text.slice(clause.start, clause.end);
    const verdict = i === 0 ? verdictAtStart(words) : null;
    if (verdict) return said(text, clause.start + words.indexOf(verdict), verdict.length);
    const found = (clauses.length > 1 ? wholeValue(text, clause) : null) ?? numberIn(text, clause);
    if (found && unsure.test(text.slice(clause.end, line.end))) return said(text, line.start, source.length);
    if (found) return found;
  }
  return fewWords(text, line);
}

/** The list that a sentence ends with: "The factors are 1, 2 and 4"; null for other lines. */
function listIn(text: string, line: Span): Said | null {
  const source = text.slice(line.start, line.end);
  const from = verbBeforeList.exec(source)?.[0].length;
  const found = from === undefined ? null : wholeValue(text, { start: line.start + from, end: line.end });
  return found && readingsOf(found.value, false)[0]?.kind === 'list' ? found : null;
}

/** Words without digits up to the verb. */
const verbBeforeList = /^[\p{L} ,'’]{1,80}? are:?\s+(?=[-+\d$\\({])/u;
/** "(A) or (B)". */
const severalChoices = /^\(?[A-J]\)?(?:\s*(?:,|\bor\b|\band\b|\/)\s*\(?[A-J]\)?)+$/;
/** A point that ends a sentence: "The vertex is at (1, -2)". */
const lastPoint = /(?<=\s)\(\s*[-+\d.\\{}/\w^]{1,30}(?:\s*,\s*[-+\d.\\{}/\w^]{1,30}){1,3}\s*\)$/;

const said = (text: string, start: number, length: number): Said => ({
  value: text.slice(start, start + length),
  start,
  end: start + length,
});

/** "[number]", "<your answer>". */
const placeholder = /^(?:\[[\p{L} _-]{2,60}\]|<[\p{L} _-]{2,60}>)$/u;
const openers = /^(?:[\s*_"“”`>:]|\\[[(]|#{1,6}(?=\s)|\\?["“”]|[-–•](?=\s(?!\s*[\d.]+\s*$)))+/;
const closers = /(?:\\?["“”]|[\s*_`]|\\[\])]|[.。．!！?？](?=[\s*_"“”`]*$)|<\|[^|>]{1,30}\|>|<\/?[a-z_]{1,20}>)+$/;

/** Maximum code units of formatting on each side. */
const longestDress = 200;

/** The range without bold marks, LaTeX delimiters and the final period. */
export function trimmed(text: string, start: number, end: number): Span {
  // Formatting is short. The limit keeps a text of nothing but formatting cheap.
  const tailFrom = Math.max(start, end - longestDress);
  let tail = text.slice(tailFrom, end);
  for (let close = closers.exec(tail); close; close = closers.exec(tail)) {
    // Exclamation marks after a number, a bracket or the letter of an unknown are factorials.
    const factorial =
      close[0].startsWith('!') && /(?:[\d)]|(?<![\p{L}'’]|\d\s{1,3})[a-z])$/u.test(tail.slice(0, close.index)) ? 1 : 0;
    // A recurring decimal: "0.333...".
    const recurring = /\.\d{2,}\.{3}$/.test(tail.slice(0, close.index + 1)) ? 1 : 0;
    const kept = close.index + Math.max(factorial, recurring);
    if (kept === tail.length) break;
    tail = tail.slice(0, kept);
  }
  const stop = tailFrom + tail.length;
  const open = openers.exec(text.slice(start, Math.min(stop, start + longestDress)))?.[0].length ?? 0;
  return { start: start + open, end: stop };
}

/** The value of a range that consists of one value. */
export function wholeValue(text: string, { start, end }: Span): Said | null {
  const source = text.slice(start, end);
  const node = source.length > longestLine ? undefined : readingsOf(source, false)[0];
  if (!node || node.kind === 'text') return null;
  for (const part of partsOf(node.kind === 'relation' ? { ...node, sides: node.sides.slice(1) } : node))
    if (part.kind === 'text') return null;
  // "42; check: 84 / 2 = 42" contains more than its answer.
  if (node.kind === 'list' && node.items.some((item) => item.kind === 'relation' && isNumeric(item.sides[0])))
    return null;
  return written(text, { start, end }, node);
}

/**
 * A number in plain digits; a quantity without surrounding words; the result of a computation; anything else as
 * written.
 */
export function written(text: string, { start, end }: Span, node: Node): Said {
  const result = solved(node);
  if (result && result.name === null) {
    const last = numbersIn(text, { start, end }).at(-1);
    if (last && keyOf(last.node) === keyOf(result.value)) return plainly(text, last);
  }
  if (digitsOf(node) === null && node.kind !== 'quantity') return said(text, start, end - start);
  const found = numbersIn(text, { start, end })[0];
  return plainly(text, found && keyOf(found.node) === keyOf(node) ? found : { start, end, node });
}

function plainly(text: string, { start, end, node }: Span & { node: Node }): Said {
  const place = said(text, start, end - start);
  // The brace of a \text{} around a unit.
  const open = place.value.split('{').length - place.value.split('}').length;
  const source = open === 1 && text[end] === '}' ? said(text, start, end + 1 - start) : place;
  return { ...source, value: digitsOf(node) ?? source.value };
}

/** A number as plain digits, or as a fraction in lowest terms; null for anything else. */
function digitsOf(node: Node): string | null {
  if (node.kind === 'number') return node.digits ?? node.value.toFraction();
  if (node.kind !== 'apply') return null;
  const [a, b] = node.args;
  if (node.of === '-' && a.kind !== 'apply') return digitsOf(a) && `-${digitsOf(a)}`;
  if (node.of === '-' && a.kind === 'apply' && a.of === '/') return digitsOf(a) && `-${digitsOf(a)}`;
  if (node.of !== '/' || a.kind !== 'number' || b.kind !== 'number') return null;
  return a.decimals + b.decimals === 0 && b.value.n !== 0n ? a.value.div(b.value).toFraction() : null;
}

interface FoundNumber extends Span {
  node: Node;
  /** Its token range; the end is exclusive. */
  from: number;
  next: number;
}

/** All numbers and quantities in a range, including surrounding formulas without unknowns. */
function numbersIn(text: string, { start, end }: Span): (FoundNumber & { tokens: Token[] })[] {
  const tokens = lex(text.slice(start, end), 'group');
  const found: (FoundNumber & { tokens: Token[] })[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (!startsNumber(tokens, i)) continue;
    const value = parseValueAt([...tokens.slice(i)], 0);
    if (!value || value.next === 0 || !isNumeric(value.node)) continue;
    const next = i + value.next;
    found.push({
      node: value.node,
      from: i,
      next,
      start: start + tokens[i].start,
      end: start + tokens[next - 1].end,
      tokens,
    });
    i = next - 1;
  }
  return found;
}

function startsNumber(tokens: readonly Token[], i: number): boolean {
  const token = tokens[i];
  const before = tokens[i - 1];
  const glued = before && !token.spaced && /^(?:letter|word)$/.test(before.kind);
  if (token.kind === 'operator')
    return (
      token.text === '-' &&
      (!before || token.spaced) &&
      !tokens[i + 1]?.spaced &&
      /^(?:number|currency|function)$/.test(tokens[i + 1]?.kind ?? '')
    );
  return /^(?:number|currency)$/.test(token.kind)
    ? !glued
    : token.kind === 'function' && /^(?:[dtc]?frac|sqrt)$/.test(token.text);
}

function isNumeric(node: Node): boolean {
  if (node.kind === 'quantity') return isNumeric(node.value);
  if (node.kind === 'clock' || node.kind === 'based') return true;
  if (node.kind === 'ratio') return node.parts.every(isNumeric);
  if (node.kind === 'group' && node.open === 'by') return node.items.every(isNumeric);
  return (node.kind === 'range' ? [node.from, node.to] : [node]).every(
    (part) => isExpression(part) && isConstant(part),
  );
}

const denied =
  /(?<!\p{L})(?:not|never|cannot|can't|isn't|aren't|won't|doesn't|neither|nor|without|wrong|incorrect|nicht|niet|não|inte|ikke|не|nie)(?!\p{L})|不是|^no\s+\d+\s+(?:remain|(?:is|are|was|were)\b)/iu;
const compared = /^(?:than|over|under|above|below|between|half|twice|thrice|double|triple|third|quarter)$/i;

/** A second answer after the first: "12, but maybe 13". */
const unsure =
  /^[,;.\s]{0,3}(?:(?:but|or|and)\s)?\s?(?:maybe|perhaps|possibly|(?:it\s)?(?:could|might|may)(?:\s\w+)? be)\b.*\d/i;

/** Words next to a number that change its meaning. */
const workedBefore =
  /\b(?:(?:root|square|cube|log(?:arithm)?|reciprocal|inverse|opposite|multiple|power) of|root|(?:divisible|divided|multiplied) by|exceeds|except|but|choose|mod(?:ulo)?|plus|minus|times)\s+$/i;
const workedBehind =
  /^\s+(?:factorial|doubled|halved|tripled|past\s+(?:noon|midnight)|(?:degrees?\s+)?below\s+zero)\b/i;

/** The number stated by a clause, or the clause itself if it is ambiguous; null without any number. */
function numberIn(text: string, clause: Span): Said | null {
  const all = numbersIn(text, clause);
  const last = all.at(-1);
  if (!last) return null;
  const { tokens } = last;
  const source = text.slice(clause.start, clause.end);
  if (denied.test(source)) return null;
  const equality = tokens.findLastIndex(
    ({ kind, text: sign }, i) => kind === 'relation' && sign === '=' && i < last.from,
  );
  const behind = all.filter(({ from }) => from > equality);
  const apart = new Set(behind.map(({ node }) => keyOf(node))).size > 1;
  const words = tokens.slice(Math.max(0, last.from - 2), last.from).map(({ text: word }) => word);
  const worked =
    workedBefore.test(text.slice(clause.start, last.start)) || workedBehind.test(text.slice(last.end, clause.end));
  if (worked || (apart && areJoined(tokens, behind)) || words.some((word) => compared.test(word)))
    return said(text, clause.start, source.length);
  return plainly(text, equality < 0 ? last : behind[0]);
}

/** Whether two numbers of a clause are joined: "3 apples and 4 pears", "10, 12", "5 to 7". */
function areJoined(tokens: readonly Token[], found: readonly FoundNumber[]): boolean {
  return found.some((number, i) => {
    if (i === 0) return false;
    const between = tokens.slice(found[i - 1].next, number.from);
    return (
      between.length === 0 ||
      between.some(({ kind, text }) => kind === 'separator' || /^(?:and|or|to|und|et|y)$/i.test(text))
    );
  });
}

const otherClauseEnd =
  /(?<!\d),\s+(?=\S)|,\s+(?=\p{L}{2})|[;；]\s*|\s[-–—]\s(?=\p{L}{2})|\s+\((?=[^()]*\)?)|[:：]\s+|，|\s(?:because|since|so that|which|where|while|when)\s|\s+(?:✅|✓|✔)/u;
const clauseEnd = new RegExp(
  `(?<=[.!?。！？])(?<!\\b(?:${writtenAbbreviations.join('|')})\\.)\\s+(?=\\S)|${otherClauseEnd.source}`,
  'gu',
);

/** Splits a line at commas before words, periods, dashes and brackets. */
function clausesOf(text: string, { start, end }: Span): Span[] {
  const line = text.slice(start, end);
  const clauses: Span[] = [];
  let from = 0;
  for (const match of line.matchAll(clauseEnd)) {
    clauses.push(trimmed(text, start + from, start + match.index));
    from = match.index + match[0].length;
  }
  clauses.push(trimmed(text, start + from, end));
  return clauses.filter((clause) => clause.start < clause.end);
}

/** Up to five words, but not a placeholder such as "[number]". */
function fewWords(text: string, { start, end }: Span): Said | null {
  const line = text.slice(start, end);
  const from = /^\$?\\(?:text|textbf|mathrm|mbox)\{/.exec(line)?.[0].length ?? 0;
  const words = /^[^[\]{}<>\n]*/.exec(line.slice(from))![0].replace(/[\s*_.!]+$/, '');
  const few =
    words !== '' && words.length <= longestWords && words.split(/\s+/).length <= maxWords && !/[[\]]/.test(line);
  return few ? said(text, start + from, words.length) : null;
}

/** The last number of a range, with its unit. */
export function lastNumber(text: string, range: Span): Said | null {
  const last = numbersIn(text, range).at(-1);
  if (!last) return null;
  // For "10 - 5" this is 5.
  const sign = last.tokens.findLastIndex(({ text: of, spaced }, i) => /^[-+]$/.test(of) && spaced && i < last.next);
  const operand = sign > last.from ? { start: range.start + last.tokens[sign].end, end: range.end } : null;
  return plainly(text, (operand && numbersIn(text, operand).at(-1)) ?? last);
}
