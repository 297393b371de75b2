/** Sets, lists and tuples. */
import { apply, keyOf, type Node, partsOf } from './node';

export type Same = (a: Node, gold: Node) => boolean;

export interface Collection {
  items: Node[];
  /** Round or square brackets: order matters. */
  ordered: boolean;
  open: string;
  close: string;
}

/** Collections with more items are not compared. */
const maxItems = 60;

/** A list, set, tuple, interval, or a value with ± as its two values; null for a single value. */
export function collectionOf(node: Node): Collection | null {
  if (node.kind === 'group') {
    const { items, open, close } = node;
    const ordered = open === 'by' ? !items.some(({ kind }) => kind === 'quantity') : open !== '{';
    return { items: open === '{' ? items.flatMap(branches) : items, ordered, open, close };
  }
  const items = node.kind === 'list' ? node.items.flatMap(branches) : branches(node);
  return node.kind === 'list' || items.length > 1 ? { items, ordered: false, open: '', close: '' } : null;
}

/** 1 ± 2 as 1 + 2 and 1 - 2; ∓ takes the opposite sign. */
function branches(node: Node): Node[] {
  let signs = 0;
  for (const part of partsOf(node)) if (part.kind === 'apply' && /^[±∓]$/.test(part.of)) signs++;
  return signs === 0 || signs > 8 ? [node] : [branch(node, '±'), branch(node, '∓')];
}

function branch(node: Node, positive: string): Node {
  switch (node.kind) {
    case 'apply': {
      const args = node.args.map((arg) => branch(arg, positive));
      if (!/^[±∓]$/.test(node.of)) return { ...node, args };
      const plus = node.of === positive;
      const last = plus ? args.at(-1)! : apply('-', args.at(-1)!);
      return args.length === 1 ? last : apply('+', args[0], last);
    }
    case 'relation':
      return { ...node, sides: node.sides.map((side) => branch(side, positive)) };
    case 'quantity':
      return { ...node, value: branch(node.value, positive) };
    default:
      return node;
  }
}

/** "(x, y) = (3, 4)" as "x = 3, y = 4"; null for other relations. */
export function assignmentsIn(node: Node): Node | null {
  if (node.kind !== 'relation' || node.sides.length !== 2 || node.signs[0] !== '=') return null;
  const [names, values] = node.sides;
  if (names.kind !== 'group' || values.kind !== 'group' || names.items.length !== values.items.length) return null;
  const items = names.items.map(
    (name, i): Node => ({ kind: 'relation', sides: [name, values.items[i]], signs: ['='] }),
  );
  return { kind: 'list', items };
}

/** Whether two collections are equal: ordered for tuples and intervals, unordered for sets and plain lists. */
export function sameCollection(a: Collection, gold: Collection, same: Same): boolean {
  if (a.items.length > maxItems || gold.items.length > maxItems) return false;
  if (a.ordered && gold.ordered) {
    const interval = gold.items.length === 2 && a.items.length === 2;
    if (interval && (a.open !== gold.open || a.close !== gold.close)) return false;
    return inOrder(a.items, gold.items, same);
  }
  if (a.ordered || gold.ordered) {
    const [tuple, list] = a.ordered ? [a, gold] : [gold, a];
    const isTuple = (tuple.open === '(' && tuple.close === ')') || (tuple.items.length !== 2 && tuple.open !== '{');
    // (3, 4) does not say which value is x: "x = 3, y = 4" is more specific than required, but "(3, 4)" can be an
    // answer to it.
    if (!isTuple || list.open === '{' || (gold.ordered && a.items.some(isAssignment))) return false;
    return inOrder(a.items, gold.items, same);
  }
  if (namesApart(gold.items) && !a.items.some(isAssignment)) return inOrder(a.items, gold.items, same);
  if (a.open === 'by' || gold.open === 'by') return anyOrder(a.items, gold.items, same); // 5 cm by 5 cm
  return anyOrder(distinct(a.items), distinct(gold.items), same);
}

const isAssignment = (node: Node) => node.kind === 'relation';

/** Values with different names, such as x = 3, y = 4, have a defined order. */
function namesApart(items: readonly Node[]): boolean {
  if (items.length < 2 || !items.every((item) => item.kind === 'relation')) return false;
  return new Set(items.map((item) => keyOf(item.sides[0]))).size === items.length;
}

const distinct = (items: readonly Node[]) => [...new Map(items.map((item) => [keyOf(item), item])).values()];

function inOrder(a: readonly Node[], gold: readonly Node[], same: Same): boolean {
  return a.length === gold.length && a.every((item, i) => same(item, gold[i]));
}

function anyOrder(a: readonly Node[], gold: readonly Node[], same: Same): boolean {
  if (a.length !== gold.length) return false;
  const left = [...gold];
  return a.every((item) => {
    const match = left.findIndex((wanted) => same(item, wanted));
    if (match < 0) return false;
    left.splice(match, 1);
    return true;
  });
}
