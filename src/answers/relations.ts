/** Equations and inequalities: their names and values, and their equivalence. */
import { type Complex, divide, hasValue } from './complex';
import { exact } from './exact';
import { apply, keyOf, type Node, partsOf } from './node';
import { type Budget, isConstant, isExpression, isSame, points, valueAt } from './numeric';

export type Relation = Extract<Node, { kind: 'relation' }>;

export interface Solved {
  /** Null for a name in words, which is arbitrary. */
  name: string | null;
  value: Node;
}

/** "x = 5" as name and value; "6 * 3 = 18" as a value without a name; null for an equation that is not solved. */
export function solved(node: Node): Solved | null {
  if (node.kind !== 'relation') return null;
  const { sides, signs } = node;
  if (signs.length === 1 && /^[∈]$/.test(signs[0]))
    return isName(sides[0]) ? { name: nameOf(sides[0]), value: sides[1] } : null;
  if (!signs.every((sign) => /^[=≈≡→]$/.test(sign))) return null;
  // x = 1/3 ≈ 0.33 and 1/3 ≈ 0.33: the exact value is used.
  const rounded = signs.indexOf('≈');
  const last = rounded > 0 || (rounded === 0 && isKnown(sides[0])) ? rounded : signs.length;
  const value = sides[last];
  if (isName(sides[0])) return { name: nameOf(sides[0]), value };
  if (signs.length === 1 && isName(value)) return { name: nameOf(value), value: sides[0] };
  const computed = sides.slice(0, last).every(isKnown) || (last > 1 && isKnown(value));
  return computed && isKnown(value) ? { name: null, value } : null;
}

const isKnown = (node: Node): boolean =>
  node.kind === 'group' && node.open === 'by' ? node.items.every(isKnown) : isKnownValue(node);

const isKnownValue = (node: Node): boolean =>
  node.kind === 'quantity' ? isKnown(node.value) : isExpression(node) && isConstant(node);

/** An unknown, a function of unknowns, a length |AB|, a ratio of names, a tuple of them, or words. */
function isName(node: Node): boolean {
  if (node.kind === 'symbol') return !/^[πei∞∅ℝ]$/.test(node.name);
  if (node.kind === 'text') return true;
  if (node.kind === 'ratio') return node.parts.every(isName);
  if (node.kind === 'group') return node.items.every(isName);
  if (node.kind !== 'apply') return false;
  return node.of.startsWith('call ') || (/^(?:abs|\/|!)$/.test(node.of) && node.args.every(isName));
}

function nameOf(node: Node): string | null {
  if (node.kind === 'apply' && node.of.startsWith('call ')) return node.of;
  if (node.kind === 'symbol' && /^\p{L}(?:_.*)?′*$/u.test(node.name)) return node.name;
  return node.kind === 'group' ? keyOf(node) : null;
}

export const namesAgree = (a: string | null, b: string | null) => a === null || b === null || a === b;

/**
 * Whether two equations, or two inequalities of the same kind, have the same solutions: one side is a constant multiple
 * of the other.
 */
export function sameRelation(a: Relation, b: Relation, budget: Budget): boolean {
  if (a.sides.length !== b.sides.length) return false;
  if (a.sides.length > 2) return false;
  const [left, right] = [difference(a), difference(b)];
  if (!left || !right) return false;
  const ratio = constantRatio(left.node, right.node, budget);
  if (!ratio) return false;
  if (left.sign === '=' || left.sign === '≠') return left.sign === right.sign;
  return left.sign === (ratio.re.isNegative() ? mirroredSign(right.sign) : right.sign) && ratio.im.isZero();
}

/** The sign when the two sides change places. */
export const mirroredSign = (sign: string) => ({ '<': '>', '>': '<', '≤': '≥', '≥': '≤' })[sign] ?? sign;

function difference({ sides: [left, right], signs: [sign] }: Relation): { node: Node; sign: string } | null {
  const plain = sign === '≡' ? '=' : sign;
  if (!/^[=≠<>≤≥]$/.test(plain) || !isExpression(left) || !isExpression(right)) return null;
  return { node: apply('+', left, apply('-', right)), sign: plain };
}

/** a / b if it is the same nonzero number everywhere. */
function constantRatio(a: Node, b: Node, budget: Budget): Complex | null {
  let ratio: Complex | null = null;
  let agreed = 0;
  for (const point of points(budget)) {
    const [x, y] = [valueAt(a, point), valueAt(b, point)];
    const here = x && y && hasValue(x) && hasValue(y) ? divide(x, y) : null;
    if (!here) continue;
    if (ratio && !isSame(ratio, here)) return null;
    ratio = here;
    agreed++;
  }
  return ratio && agreed > 1 && !ratio.re.isZero() ? ratio : null;
}

const infinity: Node = { kind: 'symbol', name: '∞' };

/** The set described by an inequality of one name: 2 < x ≤ 5 as (2, 5]; null for others. */
export function intervalOf(node: Node): Solved | null {
  if (node.kind !== 'relation') return null;
  const [name, but] = node.sides;
  if (node.signs.join() === '≠' && isName(name) && isConstant(but))
    return { name: nameOf(name), value: without([but]) };
  const ascending = node.signs.every((sign) => /^[<≤]$/.test(sign));
  if (!ascending && !node.signs.every((sign) => /^[>≥]$/.test(sign))) return null;
  const sides = ascending ? node.sides : node.sides.toReversed();
  const signs = ascending ? node.signs : node.signs.toReversed().map(mirroredSign);
  if (sides.length === 3 && isName(sides[1]) && isBound(sides[0]) && isBound(sides[2]))
    return setOf(sides[1], [sides[0], signs[0]], [sides[2], signs[1]]);
  if (sides.length !== 2) return null;
  if (isName(sides[0]) && isBound(sides[1])) return setOf(sides[0], null, [sides[1], signs[0]]);
  return isName(sides[1]) && isBound(sides[0]) ? setOf(sides[1], [sides[0], signs[0]], null) : null;
}

/** "x < 2 or x > 3" as a union of intervals; null for other lists. */
export function unionOf(node: Node): Node | null {
  if (node.kind === 'apply' && node.of === '∖') return restOf(node.args);
  if (node.kind !== 'list') return null;
  const sets = node.items.map(intervalOf);
  if (!sets.every((set) => set !== null && set.name === sets[0]!.name)) return null;
  return sets.map((set) => set!.value).reduce((a, b) => apply('∪', a, b));
}

/** All numbers but a few as a union of intervals: ℝ ∖ {1, 3}; null for others. */
function restOf([all, taken]: readonly Node[]): Node | null {
  if (all.kind !== 'symbol' || all.name !== 'ℝ' || taken.kind !== 'group' || taken.open !== '{') return null;
  const places = taken.items.map(exact);
  if (places.length === 0 || places.some((place) => place === null)) return null;
  const order = places.map((place, i) => ({ place: place!, item: taken.items[i] }));
  return without(order.sort((a, b) => a.place.compare(b.place)).map(({ item }) => item));
}

/** All numbers but these, which ascend. */
const without = (taken: readonly Node[]): Node =>
  [...taken, null]
    .map((high, i) => interval(i > 0 ? [taken[i - 1], '<'] : null, high && [high, '<']))
    .reduce((a, b) => apply('∪', a, b));

const isBound = (node: Node) => isConstant(node) || (node.kind === 'apply' && node.of === '-');

type Bound = [value: Node, sign: string] | null;

function setOf(name: Node, low: Bound, high: Bound): Solved {
  if (name.kind === 'apply' && name.of === 'abs') return { name: null, value: ofSize(low, high) };
  return { name: nameOf(name), value: interval(low, high) };
}

function interval(low: Bound, high: Bound): Node {
  return {
    kind: 'group',
    open: low?.[1] === '≤' ? '[' : '(',
    close: high?.[1] === '≤' ? ']' : ')',
    items: [low?.[0] ?? apply('-', infinity), high?.[0] ?? infinity],
  };
}

/** 1 ≤ |z| ≤ 2 is [-2, -1] ∪ [1, 2]. */
function ofSize(low: Bound, high: Bound): Node {
  const minus = (bound: Bound): Bound => bound && [apply('-', bound[0]), bound[1]];
  if (!low) return interval(minus(high), high);
  return apply('∪', interval(minus(high), minus(low)), interval(low, high));
}

/** Whether a tree contains an unknown. */
export function hasUnknown(node: Node): boolean {
  for (const part of partsOf(node)) if (part.kind === 'symbol' && !/^[πei∞∅]$/.test(part.name)) return true;
  return false;
}
