import { type EquationSides, equationSides } from '../arithmetic/equation-sides';
import { type Expression, evaluate, type NotationReading, numbersOf } from '../arithmetic/expression';
import { factsAbout, type Givens, mentionedNumbers, numberKey, writtenNumbers } from '../arithmetic/givens';
import { type ArithmeticToken, lex } from '../arithmetic/lexer';
import { type Derivation, KnownNumbers, mostMentions, sourcesOf } from '../arithmetic/numbers';
import { isTrue } from '../arithmetic/tolerance';
import { Unknowns } from '../arithmetic/unknowns';
import { splitSentences } from './sentences';
import type { Span } from './types';

/**
 * Tracks the known numbers of a text from sentence to sentence. A new number is derived by
 *
 * - a true equation whose other numbers are all known, and which would be false with another number in its place: 42
 *   follows from 5 + 37 = 42 and from 50 - 42 = 8, but not from 42 = 42, 1 * 42 = 42 or 42 * 2 / 2 = 42;
 * - a sentence that names an operation and two known numbers whose sum, difference, product or quotient it is
 *   ("half of 48 is 24");
 * - the value of an unknown (x = 5) that solves an equation set up from known numbers (3x + 5 = 20) and is its only
 *   solution;
 * - a function of known numbers that cannot be checked here (a root, a factorial).
 *
 * At least one of the known numbers must be the question's or derived from these. `givens`: null treats every operand
 * as given. Linear in the length of the text.
 */
export function derive(text: string, givens: Givens | null, question = ''): Derivation {
  const tokens = lex(text).filter((token, i, all) => !isUnit(token, all[i - 1], all[i + 1]));
  const numbers = new KnownNumbers(givens);
  const equalities = equationSides(tokens);
  const unknowns = new Unknowns(text, tokens, question.replace(/\s/g, ''));
  let nextEquality = 0;
  let nextToken = 0;
  for (const sentence of splitSentences(text)) {
    const from = nextToken;
    while (nextToken < tokens.length && tokens[nextToken].start < sentence.end) nextToken++;
    const first = nextEquality;
    while (nextEquality < equalities.length && equalities[nextEquality].sign.start < sentence.end) nextEquality++;
    const stated = equalities.slice(first, nextEquality);
    const prose = new Prose(text.slice(sentence.start, sentence.end), tokens.slice(from, nextToken), stated);
    prose.read(numbers);
    for (const equality of stated) readEquality(numbers, equality);
    unknowns.solve(numbers, from, nextToken);
    if (stated.length > 0) prose.read(numbers);
  }
  return numbers;
}

/** Text that hides an equation from the parser: 12MB, 4 m, 90\\circ, the times of "4 times a week + 3". */
function isUnit(
  { kind, text, spaced, end, start }: ArithmeticToken,
  before: ArithmeticToken | undefined,
  after: ArithmeticToken | undefined,
): boolean {
  if (kind === 'operator' && end - start === 5 && text === '*')
    return !['number', 'open', 'fraction'].includes(after?.kind ?? '');
  if (kind === 'other') return /^(?:°|\\(?:degree|circ|%|quad))$/.test(text);
  return kind === 'variable' && (text.length > 1 || (spaced && before?.kind === 'number' && /[mglhsLVWCF]/.test(text)));
}

const share: NotationReading = { percent: 'share', scaled: true };
const bare: NotationReading = { percent: 'bare', scaled: false };

/** Ranges of equalities, including the left side if it can be parsed. */
function placeOf({ left, right, tokens }: EquationSides): Span | null {
  return right && { start: tokens[(left ?? right).from].start, end: tokens[right.end - 1].end };
}

function readEquality(found: KnownNumbers, sides: EquationSides): void {
  const place = placeOf(sides);
  if (place && sides.left) readEquation(found, sides, place);
  else if (place) readFunction(found, sides, place);
}

function readEquation(found: KnownNumbers, sides: EquationSides, place: Span): void {
  const [left, right] = [sides.left!, sides.right!];
  const { sign } = sides;
  const numbers = [...numbersOf(left.expression), ...numbersOf(right.expression)];
  const loose = sign.text === '≈' || right.rounded === true;
  if (numbers.length > longestEquation || !isTrue(left.expression, right.expression, loose)) return;
  const forms = new Map<number, number[]>();
  for (const { value, scale, percent } of numbers) {
    const key = numberKey(value.valueOf());
    forms.set(key, [
      key,
      ...(key < 1 && key > 0 ? [numberKey(1 / key)] : []),
      ...(scale ? [numberKey(key * scale)] : []),
      ...(percent ? [numberKey(key / 100)] : []),
    ]);
  }
  const keys = [...forms.keys()];
  const unsourced = keys.filter((key) => !forms.get(key)!.some((form) => found.isKnown(form)));
  const result = resultOf(sides);
  const others = (key: number) => keys.filter((one) => one !== key).flatMap((one) => forms.get(one)!);
  if (unsourced.length > 1 && readTerms(found, left.expression, right.expression, place)) return;
  if (unsourced.length > 1 && !found.trusting) {
    for (const key of unsourced) if (key !== result && !found.strange.has(key)) found.strange.set(key, place);
    if (result !== null && !keys.some((key) => found.isOwn(key))) found.unrelated.set(result, place);
    return;
  }
  const unknown = unsourced.length === 1 ? unsourced[0] : result;
  if (unknown === null) return;
  // Six times 10 / 10 is not an identity, and neither is three boxes times the one nail of each in the question.
  const given = keys.every((key) => found.isOwn(key));
  const isReal = unsourced.length === 0 && [0, 1].some((one) => forms.has(one) && (given || found.derived.has(one)));
  if (!isReal && !isDetermined(left.expression, right.expression, unknown)) return;
  const sources = others(unknown);
  // 16 / 16 is one for any 16, so it does not use the question's number.
  const idle = isRatioOfItself(left.expression) || isRatioOfItself(right.expression);
  found.learn(unknown, sources.length > 0 ? sources : [unknown], place, idle ? [] : sources);
  const scaled = unknown === result ? evaluate(right.expression, share) : null;
  if (scaled && numberKey(scaled.valueOf()) !== unknown)
    found.learn(numberKey(scaled.valueOf()), others(unknown), place);
}

function isRatioOfItself(expression: Expression): boolean {
  if (expression.kind !== 'binary' || expression.operator !== '/') return false;
  const { left, right } = expression;
  return left.kind === 'number' && right.kind === 'number' && left.value.equals(right.value);
}

/** "8 * 2 + 4 * 5 = 16 + 20": each term is an equation of its own. */
function readTerms(found: KnownNumbers, left: Expression, right: Expression, place: Span): boolean {
  const [from, to] = [termsOf(left), termsOf(right)];
  if (from.length < 2 || from.length !== to.length) return false;
  const numbers = from.map((term) => numbersOf(term).map(({ value }) => numberKey(value.valueOf())));
  const isRead = to.every(
    (term, i) =>
      term.kind === 'number' && isTrue(from[i], term, false) && numbers[i].every((number) => found.isKnown(number)),
  );
  if (!isRead) return false;
  to.forEach((term, i) => {
    if (term.kind === 'number' && from[i].kind !== 'number')
      found.learn(numberKey(term.value.valueOf()), numbers[i], place);
  });
  return true;
}

function termsOf(expression: Expression): Expression[] {
  if (expression.kind !== 'binary' || !'+-'.includes(expression.operator)) return [expression];
  return [...termsOf(expression.left), expression.right];
}

/** Maximum numbers of an equation. */
const longestEquation = 60;

/** The number that an equation gives: its right side, or in "24 = 48 / 2" its left one. */
function resultOf({ left, right }: EquationSides): number | null {
  for (const side of [right, left]) {
    if (!side || side.expression.kind === 'binary') continue;
    const value = evaluate(side.expression, bare);
    if (value) return numberKey(value.valueOf());
  }
  return null;
}

/** Whether an equation is false with another number in place of `key`, wherever it occurs. */
function isDetermined(left: Expression, right: Expression, key: number): boolean {
  const change = (expression: Expression): Expression => {
    if (expression.kind === 'number')
      return numberKey(expression.value.valueOf()) === key
        ? ({ kind: 'number', value: expression.value.mul(3).add(7), decimals: 0, percent: false, bare: true } as const)
        : expression;
    if (expression.kind === 'negative') return { kind: 'negative', of: change(expression.of) };
    if (expression.kind === 'unknown') return expression;
    const { operator } = expression;
    return { kind: 'binary', operator, left: change(expression.left), right: change(expression.right) };
  };
  return !isTrue(change(left), change(right), false);
}

/** √144 = 12, 5! = 120: functions of known numbers that cannot be checked. */
function readFunction(found: KnownNumbers, { tokens, at, right }: EquationSides, place: Span): void {
  const value = right && right.expression.kind === 'number' ? evaluate(right.expression, bare) : null;
  if (!value) return;
  let from = at;
  while (from > 0 && tokens[from - 1].kind !== 'break' && tokens[from - 1].kind !== 'equals') from--;
  const left = tokens.slice(from, at);
  if (
    !left.some(
      ({ kind, text }) =>
        kind === 'other' && /^(?:\\(?:d?binom|sqrt|l?floor|l?ceil|gcd|sin|cos|tan|log|ln|pi)|√|π)/.test(text),
    )
  )
    return;
  const numbers = writtenNumbers(left).map(numberKey);
  if (numbers.length > 0 && numbers.every((one) => found.isKnown(one)))
    found.learn(numberKey(value.valueOf()), numbers, place);
}

/** Words that name an operation. */
const operationWords =
  /\b(?:total|altogether|together|sum|in all|all|both|combined|plus|add\w*|more|less|fewer|minus|subtract\w*|left|remain\w*|each|per|every|times|twice|doubl\w*|tripl\w*|quadrupl\w*|half|halv\w*|thirds?|quarters?|\w+ths?|percent|shar\w*|split\w*|divid\w*|equal\w*|difference|multipl\w*|product|of|makes|leav\w*|gain\w*|los[te]\w*|after|next|from|between|until|spen[dt]s?|increas\w*|decreas\w*|remainder|average|apiece|off|again|longer|older|younger|taller|shorter)\b/i;

/** The tokens outside of all ranges; both are in text order. */
function outside(tokens: readonly ArithmeticToken[], places: readonly Span[]): ArithmeticToken[] {
  let [next, covered] = [0, 0];
  return tokens.filter(({ start }) => {
    while (next < places.length && places[next].start <= start) covered = Math.max(covered, places[next++].end);
    return start >= covered;
  });
}

/** The keys of numbers, each once. */
const keysOf = (numbers: readonly number[]): number[] => [...new Set([...new Set(numbers)].map(numberKey))];

/** A sentence, and its numbers outside of equations, which alone may be new. */
class Prose {
  private readonly written: readonly number[];
  private readonly mentioned: readonly number[];
  private readonly place: Span;

  constructor(sentence: string, tokens: readonly ArithmeticToken[], equalities: readonly EquationSides[]) {
    const computed = equalities.flatMap((sides) => (sides.left && placeOf(sides)) ?? []);
    const operates = tokens.some(({ kind }) => kind === 'operator') || operationWords.test(sentence);
    const silent = tokens.length === 0 || (!operates && /[a-z]{3}/i.test(sentence));
    this.written = silent ? [] : keysOf(writtenNumbers(outside(tokens, computed)));
    this.mentioned =
      this.written.length > 0 ? keysOf([...mentionedNumbers(sentence, tokens), ...factsAbout(sentence)]) : [];
    this.place = silent ? { start: 0, end: 0 } : { start: tokens[0].start, end: tokens[tokens.length - 1].end };
  }

  read(found: KnownNumbers): void {
    const operands = this.mentioned.filter((key) => found.isKnown(key) && key > 1);
    if (operands.length > mostMentions) return;
    for (const key of this.written) {
      if (found.derived.has(key)) continue;
      const others = operands.filter((other) => other !== key);
      const sources = sourcesOf(key, others);
      if (!sources) continue;
      found.learn(key, sources, this.place);
      operands.push(key);
      if (operands.length > 2 * mostMentions) return;
    }
  }
}
