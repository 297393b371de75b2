/** What differs between the cells of a row, token by token on token ids. */
import { alignTokens } from '../../src/chain/align';
import type { ChainView } from '../../src/protocol/chain-diff';
import type { Cell, Row } from './rows';

/** A stretch in which two cells differ, as tokens of each chain; one of the two may be empty. */
export interface Difference {
  aFrom: number;
  aTo: number;
  bFrom: number;
  bTo: number;
}

/** A cell against the one it is compared with. */
export interface CellDiff {
  /** Column compared with. */
  against: number;
  /** For each token of the cell, whether it differs. */
  differs: boolean[];
  /** Places (tokens of this cell) where the other has tokens and this one none: `from` to `to` there. */
  missing: Map<number, { from: number; to: number }>;
  differences: Difference[];
}

/** The column that a column is compared with in a row: the first is what the others are measured by. */
export function partnerOf(row: Row, column: number): number | null {
  if (row.cells[column] === null) return null;
  if (column > 0) return row.cells[0] ? 0 : null;
  const other = row.cells.findIndex((cell, c) => c > 0 && cell !== null);
  return other < 0 ? null : other;
}

export function diffCell(chains: readonly ChainView[], row: Row, column: number): CellDiff | null {
  const against = partnerOf(row, column);
  if (against === null) return null;
  const [own, other] = [row.cells[column]!, row.cells[against]!];
  const differences = diffCells(chains[column], own, chains[against], other);
  const differs = new Array<boolean>(own.to - own.from).fill(false);
  const missing: CellDiff['missing'] = new Map();
  for (const { aFrom, aTo, bFrom, bTo } of differences) {
    differs.fill(true, aFrom - own.from, aTo - own.from);
    if (aFrom === aTo) missing.set(aFrom, { from: bFrom, to: bTo });
  }
  return { against, differs, missing, differences };
}

/**
 * The differing stretches of `a` and `b` behind their labels, in order. Tokens are compared by id, those of one word or number
 * together: 48 and 43 share a token but nothing that a reader would call the same. What only stands between two differences (a space, a
 * comma) belongs to them.
 */
export function diffCells(chainA: ChainView, a: Cell, chainB: ChainView, b: Cell): Difference[] {
  const [left, right] = [unitsOf(chainA, a), unitsOf(chainB, b)];
  const differences: Difference[] = [];
  let [i, j] = [a.body, b.body];
  let open: Difference | null = null;
  const columns = alignTokens(
    left.map(({ key }) => key),
    right.map(({ key }) => key),
  );
  for (const [x, y] of columns) {
    if (x !== null && y !== null) open = null;
    else {
      const last = differences.at(-1);
      if (!open && last && onlySigns(chainA, last.aTo, i)) open = last;
      if (!open) {
        open = { aFrom: i, aTo: i, bFrom: j, bTo: j };
        differences.push(open);
      }
      open.aTo = x === null ? i : left[x].to;
      open.bTo = y === null ? j : right[y].to;
    }
    if (x !== null) i = left[x].to;
    if (y !== null) j = right[y].to;
  }
  return differences;
}

/** Tokens of one word or number. */
interface Unit {
  to: number;
  /** Their ids. */
  key: string;
}

function unitsOf({ ids, texts }: ChainView, { body, to }: Cell): Unit[] {
  const units: Unit[] = [];
  for (let at = body; at < to; at++) {
    const last = units.at(-1);
    if (last && goesOn(texts[at - 1], texts[at], texts[at + 1])) {
      last.to = at + 1;
      last.key += ` ${ids[at]}`;
    } else units.push({ to: at + 1, key: String(ids[at]) });
  }
  return units;
}

/** Whether a token goes on with the word or number of the one before: "4" "8", "sneak" "ers", "7" "." "5". */
function goesOn(before: string, token: string, after: string | undefined): boolean {
  if (/\p{L}$/u.test(before)) return /^\p{L}/u.test(token);
  if (/\d$/.test(before)) return /^\d/.test(token) || (/^[.,]$/.test(token) && /^\d/.test(after ?? ''));
  return /\d[.,]$/.test(before) ? /^\d/.test(token) : /^[.,]$/.test(before) && /^\d/.test(token);
}

/** One or two tokens without a letter or a number. */
function onlySigns(chain: ChainView, from: number, to: number): boolean {
  return to > from && to - from <= 2 && !/[\p{L}\p{N}=]/u.test(chain.texts.slice(from, to).join(''));
}

/** The differences of a cell in words, for those who hear the page. */
export function sayDifferences(chains: readonly ChainView[], row: Row, column: number): string {
  if (row.cells[column] === null) return 'Gap: this chain has nothing here.';
  const diff = diffCell(chains, row, column);
  const present = row.cells.filter((cell) => cell !== null).length;
  if (!diff) return present === 1 && chains.length > 1 ? `Only the ${chains[column].role} chain has this.` : '';
  if (diff.differences.length === 0) return `The same as the ${nameOf(chains[diff.against])} chain.`;
  const words = diff.differences.slice(0, 12).map(({ aFrom, aTo, bFrom, bTo }) => {
    const own = quote(chains[column], aFrom, aTo);
    const other = quote(chains[diff.against], bFrom, bTo);
    if (aFrom === aTo) return `lacks ${other}`;
    return bFrom === bTo ? `adds ${own}` : `has ${own} for ${other}`;
  });
  const more = diff.differences.length - words.length;
  return `Against the ${nameOf(chains[diff.against])}: ${words.join('; ')}${more > 0 ? `; and ${more} more` : ''}.`;
}

const nameOf = ({ role }: ChainView) => role;

function quote({ texts }: ChainView, from: number, to: number): string {
  const text = texts.slice(from, to).join('').trim().replace(/\s+/g, ' ');
  return text === '' ? 'white space' : `“${text.length > 120 ? `${text.slice(0, 120)}…` : text}”`;
}
