import { firstIndex } from '../sorted';

/** One column of an alignment: for each sequence the index of its item, or null for a gap. */
type AlignedColumn = [number | null, number | null];

/**
 * Aligns two sequences of tokens (or of anything that compares by ===): equal items share a column, others stand
 * opposite a gap, those of `a` first. Every item is in exactly one column, in order.
 *
 * A longest common subsequence by dynamic programming between the common prefix and suffix: 2 x 2,000 tokens take about
 * 10 ms however different they are, while a shortest edit script (Myers) takes a second. Long sequences are first split
 * at items that are unique in both (patience diff); a range without such anchors that is still too long is left
 * opposite a gap.
 */
export function alignTokens<T>(a: readonly T[], b: readonly T[]): AlignedColumn[] {
  const columns: AlignedColumn[] = [];
  let cellsLeft = maxCells;
  const gap = ([aFrom, aTo, bFrom, bTo]: Stretch) => {
    for (let i = aFrom; i < aTo; i++) columns.push([i, null]);
    for (let j = bFrom; j < bTo; j++) columns.push([null, j]);
  };
  const align = ([aStart, aTo, bStart, bTo]: Stretch, mayAnchor: boolean) => {
    let [aFrom, bFrom] = [aStart, bStart];
    while (aFrom < aTo && bFrom < bTo && a[aFrom] === b[bFrom]) columns.push([aFrom++, bFrom++]);
    let tail = 0;
    while (aFrom < aTo - tail && bFrom < bTo - tail && a[aTo - tail - 1] === b[bTo - tail - 1]) tail++;
    const left = a.slice(aFrom, aTo - tail);
    const right = b.slice(bFrom, bTo - tail);
    const cells = left.length * right.length;
    const fits = cells <= Math.min(maxTable, cellsLeft);
    if (fits) cellsLeft -= cells;
    let pairs: [number, number][] = [];
    if (fits) pairs = commonItems(left, right);
    else if (mayAnchor) pairs = findAnchors(left, right);
    const between = fits || !mayAnchor ? gap : (stretch: Stretch) => align(stretch, false);
    let [i, j] = [aFrom, bFrom];
    for (const [x, y] of pairs) {
      between([i, aFrom + x, j, bFrom + y]);
      columns.push([aFrom + x, bFrom + y]);
      [i, j] = [aFrom + x + 1, bFrom + y + 1];
    }
    between([i, aTo - tail, j, bTo - tail]);
    for (let k = tail; k > 0; k--) columns.push([aTo - k, bTo - k]);
  };
  align([0, a.length, 0, b.length], true);
  return columns;
}

/** An index range of `a` (end exclusive), and the same for `b`. */
type Stretch = [aFrom: number, aTo: number, bFrom: number, bTo: number];

/** Maximum cells of one dynamic programming table (2 bytes each), and of all tables of an alignment. */
const maxTable = 6_000_000;
const maxCells = 24_000_000;

/** The pairs of indices of a longest common subsequence. */
function commonItems<T>(a: readonly T[], b: readonly T[]): [number, number][] {
  // Items as small integers, so that the inner loop compares numbers.
  const numbers = new Map<T, number>();
  const numberOf = (item: T) => {
    const known = numbers.get(item) ?? numbers.size;
    numbers.set(item, known);
    return known;
  };
  const [left, right] = [Int32Array.from(a, numberOf), Int32Array.from(b, numberOf)];
  const width = b.length + 1;
  // length[i][j]: length of the longest common subsequence of a[i..] and b[j..].
  const length = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    const item = left[i];
    for (let j = b.length - 1, at = i * width + j; j >= 0; j--, at--) {
      const below = length[at + width];
      const after = length[at + 1];
      length[at] = item === right[j] ? length[at + width + 1] + 1 : Math.max(below, after);
    }
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const at = i * width + j;
    if (left[i] === right[j]) pairs.push([i++, j++]);
    else if (length[at + width] >= length[at + 1]) i++;
    else j++;
  }
  return pairs;
}

/** Pairs of indices of items that occur once in each sequence: the longest increasing run in both. */
function findAnchors<T>(a: readonly T[], b: readonly T[]): [number, number][] {
  const [inA, inB] = [onlyPlaces(a), onlyPlaces(b)];
  const pairs: [number, number][] = [];
  for (const [item, x] of inA) {
    const y = x >= 0 ? (inB.get(item) ?? -1) : -1;
    if (y >= 0) pairs.push([x, y]);
  }
  pairs.sort((p, q) => p[0] - q[0]);
  return longestRise(pairs);
}

/** The index of each item, -1 if it occurs more than once. */
function onlyPlaces<T>(items: readonly T[]): Map<T, number> {
  const places = new Map<T, number>();
  items.forEach((item, i) => {
    places.set(item, places.has(item) ? -1 : i);
  });
  return places;
}

/** The longest subsequence with increasing second numbers (patience sorting). */
function longestRise(pairs: [number, number][]): [number, number][] {
  const ends: number[] = [];
  const before: number[] = [];
  pairs.forEach(([, y], i) => {
    const at = firstIndex(ends.length, (end) => pairs[ends[end]][1] >= y);
    before[i] = at > 0 ? ends[at - 1] : -1;
    ends[at] = i;
  });
  const rise: [number, number][] = [];
  for (let i = ends.at(-1) ?? -1; i >= 0; i = before[i]) rise.push(pairs[i]);
  return rise.reverse();
}

/** A pair of similar steps, or a single step. */
export interface StepPair {
  a: number | null;
  b: number | null;
}

/**
 * Aligns the steps of two chains in order by similarity: dynamic programming over the share of common words and numbers
 * (Dice coefficient), with numbers counting as three words. Steps less similar than `threshold` stay single. Takes time
 * proportional to the product of the lengths; beyond `maxPairs` pairs, only equal steps are aligned.
 */
export function alignSteps(a: readonly string[], b: readonly string[], threshold = 0.25): StepPair[] {
  if (a.length * b.length > maxPairs) return alignTokens(a, b).map(([x, y]) => ({ a: x, b: y }));
  const [left, right] = [a.map(bagOf), b.map(bagOf)];
  const alike = left.map((x) => right.map((y) => similarityOf(x, y)));
  // best[i][j]: the maximum total similarity of pairs among a[i..] and b[j..].
  const best = Array.from({ length: a.length + 1 }, () => new Float64Array(b.length + 1));
  const gain = (i: number, j: number) => (alike[i][j] >= threshold ? alike[i][j] + best[i + 1][j + 1] : -1);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) best[i][j] = Math.max(best[i + 1][j], best[i][j + 1], gain(i, j));
  }
  const pairs: StepPair[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && best[i][j] === gain(i, j)) pairs.push({ a: i++, b: j++ });
    else if (i < a.length && (j === b.length || best[i][j] === best[i + 1][j])) pairs.push({ a: i++, b: null });
    else pairs.push({ a: null, b: j++ });
  }
  return pairs;
}

const maxPairs = 40_000;

/** The words and numbers of a step with their counts; numbers count three times. */
type Bag = { weights: Map<string, number>; total: number };

function bagOf(step: string): Bag {
  const weights = new Map<string, number>();
  let total = 0;
  for (const [word] of step
    .toLowerCase()
    .slice(0, 4000)
    .replace(/(\d),(?=\d{3})/g, '$1')
    .matchAll(/\d+(?:\.\d+)?|\p{L}+/gu)) {
    const weight = /^\d/.test(word) ? 3 : 1;
    weights.set(word, (weights.get(word) ?? 0) + weight);
    total += weight;
  }
  return { weights, total };
}

function similarityOf(a: Bag, b: Bag): number {
  if (a.total + b.total === 0) return 0;
  let shared = 0;
  for (const [word, weight] of a.weights) shared += Math.min(weight, b.weights.get(word) ?? 0);
  return (2 * shared) / (a.total + b.total);
}
