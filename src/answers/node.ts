import Fraction from 'fraction.js';
import type { Unit } from './units';

/**
 * A parsed answer.
 *
 * - number: exact; `decimals` is the number of decimal places, `digits` the spelling without separators
 * - symbol: an unknown, a constant (pi, e, i, infinity) or a name
 * - apply: `of` is + * / ^ - (one argument) ± ∓ % ! !! abs, a function's name, or a set operation
 * - quantity: a value with a known unit
 * - group: brackets around one or more items; `open` and `close` are ( [ { and ) ] }, and "by" for 10 cm by 5 cm
 * - list: items without brackets
 * - relation: sides with a sign between each two
 * - ratio: 3:2; clock: minutes after midnight, `half` if am or pm was given; range: 5 to 7; based: digits with a base
 * - choice: a letter, with the text after it; text: words
 */
export type Node =
  | { kind: 'number'; value: Fraction; decimals: number; digits?: string }
  | { kind: 'symbol'; name: string }
  | { kind: 'apply'; of: string; args: Node[] }
  | { kind: 'quantity'; value: Node; unit: Unit }
  | { kind: 'group'; open: string; close: string; items: Node[] }
  | { kind: 'list'; items: Node[] }
  | { kind: 'matrix'; rows: Node[][] }
  | { kind: 'relation'; sides: Node[]; signs: string[] }
  | { kind: 'ratio'; parts: Node[] }
  | { kind: 'range'; from: Node; to: Node }
  | { kind: 'clock'; minutes: number; half: boolean }
  | { kind: 'based'; digits: string; base: string }
  | { kind: 'remainder'; quotient: Node; rest: Node }
  | { kind: 'choice'; letter: string; rest?: Node }
  | { kind: 'text'; text: string };

export const apply = (of: string, ...args: Node[]): Node => ({ kind: 'apply', of, args });
export const whole = (n: number): Node => ({ kind: 'number', value: new Fraction(n), decimals: 0 });
export const symbol = (name: string): Node => ({ kind: 'symbol', name });

/** A canonical form, so that equal trees have equal keys; sums and products in any order. */
export function keyOf(node: Node): string {
  switch (node.kind) {
    case 'number':
      return node.value.toFraction();
    case 'symbol':
      return node.name;
    case 'apply': {
      const args = flat(node.of, node.args).map(keyOf);
      if ('+*∪∩'.includes(node.of)) args.sort();
      return `${node.of}(${args.join(',')})`;
    }
    case 'quantity':
      return `${keyOf(node.value)} ${node.unit.factor} ${node.unit.dimension}`;
    case 'group':
      return `${node.open}${node.items.map(keyOf).join(',')}${node.close}`;
    case 'list':
      return node.items.map(keyOf).join(';');
    case 'matrix':
      return `[${node.rows.map((row) => row.map(keyOf).join(',')).join(';')}]`;
    case 'relation':
      return node.sides.map((side, i) => `${node.signs[i - 1] ?? ''}${keyOf(side)}`).join('');
    case 'ratio':
      return node.parts.map(keyOf).join(':');
    case 'range':
      return `${keyOf(node.from)}..${keyOf(node.to)}`;
    case 'clock':
      return `clock ${node.minutes}`;
    case 'based':
      return `${node.digits}_${node.base}`;
    case 'remainder':
      return `${keyOf(node.quotient)} R ${keyOf(node.rest)}`;
    case 'choice':
      return `choice ${node.letter}`;
    case 'text':
      return `"${node.text}"`;
  }
}

/** Flattens nested sums, products and unions. */
function flat(of: string, args: readonly Node[]): Node[] {
  if (!'+*∪∩'.includes(of)) return [...args];
  return args.flatMap((arg) => (arg.kind === 'apply' && arg.of === of ? flat(of, arg.args) : [arg]));
}

/** All nodes of a tree. */
export function* partsOf(node: Node): Generator<Node> {
  yield node;
  for (const child of childrenOf(node)) yield* partsOf(child);
}

function childrenOf(node: Node): Node[] {
  switch (node.kind) {
    case 'apply':
      return node.args;
    case 'quantity':
      return [node.value];
    case 'group':
    case 'list':
      return node.items;
    case 'matrix':
      return node.rows.flat();
    case 'relation':
      return node.sides;
    case 'ratio':
      return node.parts;
    case 'range':
      return [node.from, node.to];
    case 'remainder':
      return [node.quotient, node.rest];
    case 'choice':
      return node.rest ? [node.rest] : [];
    default:
      return [];
  }
}
