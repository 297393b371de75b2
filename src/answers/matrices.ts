/** Evaluates sums and products of matrices, so that their entries can be compared. */
import { apply, type Node } from './node';

/** Rows of entries, or null if a tree is not a matrix. */
export function matrixOf(node: Node): Node[][] | null {
  if (node.kind === 'matrix') return node.rows;
  if (node.kind === 'group' && node.items.length > 0 && node.items.every((item) => item.kind === 'group'))
    return node.items.map((item) => item.items);
  if (node.kind !== 'apply') return null;
  const [a, b] = node.args.map(matrixOf);
  if (node.of === '-' && a) return a.map((row) => row.map((entry) => apply('-', entry)));
  if (node.of === '+' && a && b)
    return sameShape(a, b) ? a.map((row, i) => row.map((x, j) => apply('+', x, b[i][j]))) : null;
  if (node.of === '*' && a && b) return product(a, b);
  if (node.of === '*' && (a || b)) return scaled((a ?? b)!, a ? node.args[1] : node.args[0], '*');
  return node.of === '/' && a && !b ? scaled(a, node.args[1], '/') : null;
}

const scaled = (rows: Node[][], by: Node, of: string) => rows.map((row) => row.map((entry) => apply(of, entry, by)));
const sameShape = (a: Node[][], b: Node[][]) =>
  a.length === b.length && a.every((row, i) => row.length === b[i].length);

function product(a: Node[][], b: Node[][]): Node[][] | null {
  const inner = b.length;
  if (a.some((row) => row.length !== inner) || b.some((row) => row.length !== b[0].length)) return null;
  if (a.length * inner * b[0].length > 200) return null;
  return a.map((row) =>
    b[0].map((_, j) => row.map((x, k) => apply('*', x, b[k][j])).reduce((x, y) => apply('+', x, y))),
  );
}

/** A row or a column, which may be written as a tuple. */
export function vectorOf(rows: Node[][]): Node[] | null {
  if (rows.length === 1) return rows[0];
  return rows.every((row) => row.length === 1) ? rows.map((row) => row[0]) : null;
}
