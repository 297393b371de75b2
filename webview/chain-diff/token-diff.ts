/** Differences between the cells of a row, token by token. */
import { alignTokens } from '../../src/chain/align';
import type { ChainView } from '../../src/protocol/chain-diff';
import type { DiffCell, DiffRow } from './rows';

/** A range in which two cells differ, as tokens of each chain; one of the two may be empty. */
export interface TokenDifference {
  aFrom: number;
  aTo: number;
  bFrom: number;
  bTo: number;
}

/** A cell compared with another one. */
export interface CellDiff {
  /** Column compared with. */
  against: number;
  /** For each token of the cell, whether it differs. */
  differs: boolean[];
  /** Positions (tokens of this cell) where only the other has tokens: `from` to `to` there. */
  missing: Map<number, { from: number; to: number }>;
  differences: TokenDifference[];
}

/** The column that a column is compared with in a row: by default the first. */
function partnerOf(row: DiffRow, column: number): number | null {
  if (row.cells[column] === null) return null;
  if (column > 0) return row.cells[0] ? 0 : null;
  const other = row.cells.findIndex((cell, c) => c > 0 && cell !== null);
  return other < 0 ? null : other;
}

/**
 * A cell compared with its partner, or with the given column; null if one of them is a gap. Cached, as rows are created
 * again with their chains.
 */
export function diffCell(
  chains: readonly ChainView[],
  row: DiffRow,
  column: number,
  against = partnerOf(row, column),
): CellDiff | null {
  if (against === null || !row.cells[column] || !row.cells[against]) return null;
  const known = found.get(row) ?? new Map<string, CellDiff>();
  found.set(row, known);
  const key = `${column} ${against}`;
  const diff = known.get(key) ?? compareCells(chains, row, column, against);
  known.set(key, diff);
  return diff;
}

const found = new WeakMap<DiffRow, Map<string, CellDiff>>();

function compareCells(chains: readonly ChainView[], row: DiffRow, column: number, against: number): CellDiff {
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
 * The differing ranges of `a` and `b` after their labels, in order. Tokens of one word or number are compared together
 * and by their visible text: 48 and 43 share a token but nothing that a reader would call equal, and " 48" and "48" are
 * different tokens but the same number. A comma in place of a period is not a difference. A few common words between
 * two longer differences are merged into them, for readability.
 */
export function diffCells(chainA: ChainView, a: DiffCell, chainB: ChainView, b: DiffCell): TokenDifference[] {
  const [left, right] = [unitsOf(chainA, a), unitsOf(chainB, b)];
  const differences: TokenDifference[] = [];
  let [i, j] = [a.body, b.body];
  let open: TokenDifference | null = null;
  const columns = alignTokens(
    left.map(({ key }) => key),
    right.map(({ key }) => key),
  );
  for (const [x, y] of columns) {
    if (x !== null && y !== null) open = null;
    else {
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
  return joinNeighbours(differences, chainA, chainB).filter(
    ({ aFrom, aTo, bFrom, bTo }) => !isOnlyPunctuation(chainA, aFrom, aTo) || !isOnlyPunctuation(chainB, bFrom, bTo),
  );
}

/**
 * Merges differences if the text between them is not longer than either and has little content: no number, no equality
 * sign. The rule of diff-match-patch's semantic cleanup.
 */
function joinNeighbours(differences: TokenDifference[], chainA: ChainView, chainB: ChainView): TokenDifference[] {
  const size = ({ aFrom, aTo, bFrom, bTo }: TokenDifference) =>
    Math.max(letters(chainA, aFrom, aTo).length, letters(chainB, bFrom, bTo).length);
  const joined: TokenDifference[] = [];
  for (const difference of differences) {
    joined.push(difference);
    for (let [last, next] = joined.slice(-2); next; [last, next] = joined.slice(-2)) {
      const between = letters(chainA, last.aTo, next.aFrom);
      if (/[\d=]/.test(between) || between.length > Math.min(size(last), size(next))) break;
      joined.splice(-2, 2, { aFrom: last.aFrom, aTo: next.aTo, bFrom: last.bFrom, bTo: next.bTo });
    }
  }
  return joined;
}

/** Only white space and sentence punctuation. */
function isOnlyPunctuation({ texts }: ChainView, from: number, to: number): boolean {
  return /^[\s.,;:!?…]*$/.test(texts.slice(from, to).join(''));
}

/** The content of a range, ignoring white space and punctuation. */
function letters({ texts }: ChainView, from: number, to: number): string {
  return texts
    .slice(from, to)
    .join('')
    .replace(/[^\p{L}\p{N}=+*/×÷-]/gu, '');
}

/** The tokens of one word or number. */
interface ComparedUnit {
  to: number;
  /** The compared text: visible text, " 48" like "48"; for white space, and for tokens without a text, the ids. */
  key: string;
}

/** Excludes the end token, as text-only records have none to compare it with. */
function unitsOf({ ids, texts, ended }: ChainView, { body, to }: DiffCell): ComparedUnit[] {
  const units: ComparedUnit[] = [];
  const end = Math.min(to, ids.length - (ended ? 1 : 0));
  for (let at = body; at < end; ) {
    const from = at++;
    while (at < end && continuesWord(texts[at - 1], texts[at], texts[at + 1])) at++;
    const word = texts.slice(from, at).join('').trim();
    units.push({ to: at, key: word === '' ? ids.slice(from, at).join(' ') : `"${word}` });
  }
  return units;
}

/** Whether a token continues the word or number of the previous one: "4" "8", "sneak" "ers", "7" "." "5". */
function continuesWord(before: string, token: string, after: string | undefined): boolean {
  if (/\p{L}$/u.test(before)) return /^\p{L}/u.test(token);
  if (/\d$/.test(before)) return /^\d/.test(token) || (/^[.,]$/.test(token) && /^\d/.test(after ?? ''));
  return /\d[.,]$/.test(before) ? /^\d/.test(token) : /^[.,]$/.test(before) && /^\d/.test(token);
}

/** The differences of a cell in words, for screen readers. */
export function differencesInWords(
  chains: readonly ChainView[],
  row: DiffRow,
  column: number,
  against = partnerOf(row, column),
): string {
  if (row.cells[column] === null) return `Gap: the ${chains[column].role} chain has nothing here.`;
  const diff = diffCell(chains, row, column, against);
  const present = row.cells.filter((cell) => cell !== null).length;
  if (!diff && against !== null) return `The ${chains[against].role} lacks this.`;
  if (!diff) return present === 1 && chains.length > 1 ? `Only the ${chains[column].role} has this.` : '';
  if (diff.differences.length === 0) return `The same as the ${chains[diff.against].role}.`;
  const words = diff.differences.slice(0, 12).map(({ aFrom, aTo, bFrom, bTo }) => {
    const own = quote(chains[column], aFrom, aTo);
    const other = quote(chains[diff.against], bFrom, bTo);
    if (aFrom === aTo) return `lacks ${other}`;
    return bFrom === bTo ? `adds ${own}` : `has ${own} in place of ${other}`;
  });
  const more = diff.differences.length - words.length;
  return `Against the ${chains[diff.against].role}: ${words.join('; ')}${more > 0 ? `; and ${more} more` : ''}.`;
}

function quote({ texts }: ChainView, from: number, to: number): string {
  const text = texts.slice(from, to).join('').trim().replace(/\s+/g, ' ');
  return text === '' ? 'white space' : `“${text.length > 120 ? `${text.slice(0, 120)}…` : text}”`;
}
