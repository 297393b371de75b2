/** Decides whether an answer equals the reference answer. */

import type Fraction from 'fraction.js';
import { assignmentsIn, collectionOf, sameCollection } from './collections';
import { exact } from './exact';
import { extractAnswer } from './extract';
import { sameLetters } from './letters';
import { matrixOf, vectorOf } from './matrices';
import { apply, keyOf, type Node } from './node';
import { placeIn } from './number-words';
import { Budget, isExpression, OutOfBudget } from './numeric';
import { longestAnswer } from './parser';
import { readingsOf } from './readings';
import { hasUnknown, intervalOf, mirroredSign, namesAgree, sameRelation, solved, unionOf } from './relations';
import { unitNamed } from './units';
import { ratioOf, sameQuantity, sameRatio, sameTime } from './values';
import { sameWords, wordsOf } from './words';

const plainNumber = /^-?(?:\d{1,15}|\d{1,12}\.\d{1,3})$/;

/**
 * Whether `answer` is equivalent to the reference `gold`. Rules are in docs/answers.md: numbers are equal exactly, or
 * rounded if the reference is not an integer; formulas if their values are equal at every point; sets in any order,
 * tuples in order; units are converted. Text that cannot be parsed is compared character by character. Takes less than
 * a second for any text. A longer comparison is abandoned as not equal, by counting operations and not time, so that a
 * verdict never depends on the machine.
 */
export function sameAnswer(answer: string, gold: string): boolean {
  if (answer === gold) return true;
  if (plainNumber.test(answer) && plainNumber.test(gold) && !answer.includes('.') && !gold.includes('.'))
    return Number(answer) === Number(gold);
  if (answer.length > longestAnswer) return false;
  try {
    return compare(answer, gold);
  } catch (error) {
    if (error instanceof OutOfBudget) return false;
    throw error;
  }
}

function compare(answer: string, reference: string): boolean {
  const budget = new Budget();
  const gold = referenceIn(reference);
  if (gold.length > longestAnswer) return false;
  const [said, wanted] = [readingsOf(withConstant(answer, gold), false), readingsOf(gold, true)];
  if (isPlaceFor(answer, wanted) || isPlaceFor(gold, said)) return false;
  if (said.some((a) => wanted.some((g) => same(a, g, budget)))) return !countsDiffer(answer, gold);
  return (said.length === 0 || wanted.length === 0) && sameLetters(answer, gold);
}

/** Whether a text is a place and the other one a quantity: "second" is not 2 seconds. */
const isPlaceFor = (text: string, other: readonly Node[]) => other[0]?.kind === 'quantity' && placeIn(text) !== null;

/** Whether two texts count the same things differently: "5 pears and 6 apples" and "5 apples and 6 pears". */
function countsDiffer(answer: string, gold: string): boolean {
  const wanted = countsIn(gold);
  const said = wanted.size > 1 ? countsIn(answer) : wanted;
  const things = [...wanted.keys()];
  return things.every((thing) => said.has(thing)) && things.some((thing) => said.get(thing) !== wanted.get(thing));
}

const counted = /(?<![\d.,/])(\d+(?:,\d{3})*(?:\.\d+)?) (?!and\b)(\p{L}{3,})/giu;
const countsIn = (text: string) =>
  new Map(
    Array.from(text.matchAll(counted))
      .filter(([, , thing]) => unitNamed(thing) === undefined)
      .map(([, n, thing]): [string, number] => [thing.toLowerCase().replace(/s$/, ''), Number(n.replaceAll(',', ''))]),
  );

/** Writes the constant of an integral as the reference does: "x^2 + c" as "x^2 + C". */
function withConstant(answer: string, gold: string): string {
  const own = integral.exec(answer)?.[1];
  return own && integral.test(gold) && gold.includes('C') ? `${own} + C` : answer;
}

/** A formula of x, t or u followed by a constant. */
const integral =
  /^((?:[^a-zA-Z\\]|\\[a-zA-Z]+(?![a-zA-Z])|\\[^a-zA-Z]|sin|cos|tan|sec|ln|log|exp|arc|[xtue])*)\+\s*[cC]\s*\$?$/;

/** The actual reference answer if a dataset gives a whole solution, or a boxed answer. */
function referenceIn(gold: string): string {
  if (!/\\(?:boxed|fbox)|####|\n|<answer>/.test(gold) && gold.length <= 200) return withoutRemark(gold);
  return extractAnswer(gold, 'lenient')?.value ?? gold;
}

/** "31 (rolls)" says 31, and "31 (kg)" 31 kg; "#5" says 5. */
function withoutRemark(gold: string): string {
  if (/^\s*#\d{1,9}\s*$/.test(gold)) return gold.replace('#', '');
  const found = /^([-+$€£]?[\d.,/]+)\s+\((\p{L}{1,20})\)$/u.exec(gold.trim());
  if (!found || /^(?:not|wrong|incorrect|false)$/i.test(found[2])) return gold;
  return unitNamed(found[2]) ? `${found[1]} ${found[2]}` : found[1];
}

/** Whether a reference answer can be compared with: a value, or a few words. */
export const isComparable = (gold: string) => gold.split(/\s+/).length <= 5 || readingsOf(gold, true).length > 0;

/**
 * The value of an answer that is one number with formatting and units ("$1,080", "\frac{3}{4} cups", "60%" as 60), else
 * null.
 */
export function parseAnswer(text: string): Fraction | null {
  const [reading] = text.length > longestAnswer ? [] : readingsOf(text, false);
  if (!reading) return null;
  const named = reading.kind === 'relation' ? solved(reading)?.value : reading;
  const value = named?.kind === 'quantity' ? named.value : named;
  if (!value || !isPlainValue(value)) return null;
  return exact(value.kind === 'apply' && value.of === '%' ? value.args[0] : value);
}

/**
 * A number, with a sign, as a fraction of two numbers, or times a scale; not "5 - 3", which is an unevaluated
 * computation.
 */
function isPlainValue(node: Node): boolean {
  if (node.kind === 'number') return true;
  return node.kind === 'apply' && /^[-/%*]$/.test(node.of) && node.args.every(isPlainValue);
}

function same(a: Node, gold: Node, budget: Budget): boolean {
  budget.spend(5);
  const inner = (x: Node, y: Node) => same(x, y, budget);
  if (a.kind === 'choice' || gold.kind === 'choice') return sameChoice(a, gold, inner);
  if (a.kind === 'relation' || gold.kind === 'relation') {
    const verdict = sameRelations(a, gold, budget);
    if (verdict !== null) return verdict;
  }
  if (sameWords(a, gold)) return true;
  const [union, goldUnion] = [unionOf(a), unionOf(gold)];
  if (union && (goldUnion || isSetOperation(gold))) return inner(union, goldUnion ?? gold);
  if (goldUnion && isSetOperation(a)) return inner(a, goldUnion);
  const [rows, wanted] = [matrixOf(a), matrixOf(gold)];
  if (rows || wanted) return sameMatrix([a, rows], [gold, wanted], inner);
  const [set, goldSet] = [collectionOf(a), collectionOf(gold)];
  if (set && goldSet) return sameCollection(set, goldSet, inner);
  if (set || goldSet) {
    const only = (set ?? goldSet)!;
    // [12], as in JSON, is 12; (12) is no collection, and (12] is not 12.
    const single = only.items.length === 1 && (!only.ordered || (only.open === '[' && only.close === ']'));
    return single && (set ? inner(only.items[0], gold) : inner(a, only.items[0]));
  }
  return sameSingle(a, gold, budget);
}

function sameSingle(a: Node, gold: Node, budget: Budget): boolean {
  const inner = (x: Node, y: Node) => same(x, y, budget);
  if (keyOf(a) === keyOf(gold)) return true;
  if (isSetOperation(a) || isSetOperation(gold)) return sameUnion(a, gold, inner);
  if (a.kind === 'remainder' && gold.kind === 'remainder')
    return inner(a.quotient, gold.quotient) && inner(a.rest, gold.rest);
  if (a.kind === 'range' && gold.kind === 'range') return inner(a.from, gold.from) && inner(a.to, gold.to);
  if ((a.kind === 'clock' || gold.kind === 'clock') && sameTime(a, gold)) return true;
  if (a.kind === 'clock' && gold.kind === 'clock') return false;
  const [ratio, goldRatio] = [ratioOf(a), ratioOf(gold)];
  if (ratio && goldRatio) return sameRatio(ratio, goldRatio, budget);
  if (ratio || goldRatio) return sameQuotient(a, gold, inner);
  if (a.kind === 'based' || gold.kind === 'based') return sameDigits(a, gold);
  return sameQuantity(a, gold, budget);
}

/** 3:2 as the number 3/2; a range is not a number. */
function sameQuotient(a: Node, gold: Node, inner: (x: Node, y: Node) => boolean): boolean {
  const over = (node: Node) => (node.kind === 'ratio' && node.parts.length === 2 ? apply('/', ...node.parts) : node);
  const [left, right] = [over(a), over(gold)];
  return isExpression(left) && isExpression(right) && inner(left, right);
}

/** Digits in another base; an answer may omit the base. */
function sameDigits(a: Node, gold: Node): boolean {
  if (gold.kind !== 'based') return false;
  if (a.kind === 'based') return a.digits === gold.digits && a.base === gold.base;
  return a.kind === 'number' && a.value.toFraction() === gold.digits;
}

function sameChoice(a: Node, gold: Node, inner: (x: Node, y: Node) => boolean): boolean {
  const letterOf = (node: Node) => (node.kind === 'choice' ? node.letter : wordsOf(node))?.toUpperCase();
  if (a.kind === 'choice' && gold.kind === 'choice' && a.rest && gold.rest && !inner(a.rest, gold.rest)) return false;
  if (letterOf(a) === letterOf(gold)) return true;
  if (a.kind === 'choice' && gold.kind === 'choice') return false;
  const [choice, other] = a.kind === 'choice' ? [a, gold] : [gold as Extract<Node, { kind: 'choice' }>, a];
  if (!choice.rest || letterOf(other)?.length === 1) return false;
  return a.kind === 'choice' ? inner(choice.rest, other) : inner(other, choice.rest);
}

/** Compares relations; null if only values remain to be compared. */
function sameRelations(a: Node, gold: Node, budget: Budget): boolean | null {
  const inner = (x: Node, y: Node) => same(x, y, budget);
  const [left, right] = [solved(a), solved(gold)];
  if (a.kind === 'relation' && gold.kind === 'relation') {
    if (left && right && namesAgree(left.name, right.name) && inner(left.value, right.value)) return true;
    const [set, goldSet] = [intervalOf(a), intervalOf(gold)];
    if (set && goldSet && namesAgree(set.name, goldSet.name) && inner(set.value, goldSet.value)) return true;
    if (left && goldSet) return namesAgree(left.name, goldSet.name) && inner(left.value, goldSet.value);
    if (set && right) return namesAgree(set.name, right.name) && inner(set.value, right.value);
    const unknown = !left || !right || hasUnknown(left.value) || hasUnknown(right.value);
    if (unknown && sameRelation(a, gold, budget)) return true;
    return sameSides(a, gold, inner);
  }
  const [spread, goldSpread] = [assignmentsIn(a), assignmentsIn(gold)];
  if (spread && gold.kind === 'list') return inner(spread, gold);
  if (goldSpread && a.kind === 'list') return inner(a, goldSpread);
  if (gold.kind === 'relation') {
    const value = right ?? (collectionOf(a) || isSetOperation(a) ? intervalOf(gold) : null);
    return value !== null && inner(a, value.value);
  }
  const value = left ?? (collectionOf(gold) || isSetOperation(gold) ? intervalOf(a) : null);
  if (!value) return gold.kind === 'list' ? null : false;
  if (inner(value.value, gold)) return true;
  // "2√3 ≈ 3.46" for a reference of 3.46.
  return a.kind === 'relation' && a.signs.at(-1) === '≈' && inner(a.sides.at(-1)!, gold);
}

/** f(2) < f(1) < f(4), side by side, in either direction. */
function sameSides(
  a: Extract<Node, { kind: 'relation' }>,
  gold: typeof a,
  inner: (x: Node, y: Node) => boolean,
): boolean {
  const matches = (sides: readonly Node[], signs: readonly string[]) =>
    sides.length === gold.sides.length &&
    signs.every((sign, i) => sign === gold.signs[i]) &&
    sides.every((side, i) => inner(side, gold.sides[i]));
  if (a.signs.includes('=')) return false;
  return matches(a.sides, a.signs) || matches(a.sides.toReversed(), a.signs.toReversed().map(mirroredSign));
}

const isSetOperation = (node: Node) => node.kind === 'apply' && /^[∪∩∖]$/.test(node.of);

function sameUnion(a: Node, gold: Node, inner: (x: Node, y: Node) => boolean): boolean {
  if (a.kind !== 'apply' || gold.kind !== 'apply' || a.of !== gold.of) return false;
  const of = a.of;
  const parts = (node: Node): Node[] => (node.kind === 'apply' && node.of === of ? node.args.flatMap(parts) : [node]);
  const [left, right] = [parts(a), parts(gold)];
  const asSet = (items: Node[]) => ({
    items,
    ordered: of === '∖',
    open: of === '∖' ? '(' : '',
    close: of === '∖' ? ')' : '',
  });
  return sameCollection(asSet(left), asSet(right), inner);
}

/** Entry by entry; a vector may be written as a tuple. */
function sameMatrix(
  [a, rows]: [Node, Node[][] | null],
  [gold, wanted]: [Node, Node[][] | null],
  inner: (x: Node, y: Node) => boolean,
): boolean {
  if (rows && wanted)
    return (
      rows.length === wanted.length &&
      rows.every((row, i) => row.length === wanted[i].length && row.every((entry, j) => inner(entry, wanted[i][j])))
    );
  const vector = vectorOf((rows ?? wanted)!);
  const tuple = collectionOf(rows ? gold : a);
  if (!vector || !tuple?.ordered || tuple.items.length !== vector.length) return false;
  return vector.every((entry, i) => (rows ? inner(entry, tuple.items[i]) : inner(tuple.items[i], entry)));
}
