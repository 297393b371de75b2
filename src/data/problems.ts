import { mean } from '../statistics';
import type { Spot } from './sources/source';
import type { Problem } from './types';

/** Problems in order: an array, or a list that reads each from its file on access. */
export interface Problems extends Iterable<Problem> {
  readonly length: number;
  at(index: number): Problem | undefined;
  slice(start?: number, end?: number): Problems;
  map<T>(change: (problem: Problem, index: number) => T): T[];
  flatMap<T>(change: (problem: Problem, index: number) => T | readonly T[]): T[];
  filter(keep: (problem: Problem, index: number) => unknown): Problem[];
}

/** Facts about a problem that are known without reading it. */
interface Known {
  bytes: number;
  /** It has a teacher chain, or a recorded answer. */
  chained: boolean;
  recorded: boolean;
  /** Key of its question. */
  key: number;
}

/** Reads the problem at a place. */
type Reader = (spot: Spot) => Problem;

/**
 * The numbers of all problems, in flat lists: creating objects for a hundred thousand rows would take longer than
 * reading them.
 */
class Unread {
  private readonly readers: Reader[] = [];
  private readonly spots: number[] = [];
  private readonly bytes: number[] = [];
  private readonly flags: number[] = [];
  private readonly keys: number[] = [];

  get length(): number {
    return this.readers.length;
  }

  add(read: Reader, { index, line, start, end }: Spot, { bytes, chained, recorded, key }: Known): void {
    this.readers.push(read);
    this.spots.push(index, line, start, end);
    this.bytes.push(bytes);
    this.flags.push((chained ? 1 : 0) + (recorded ? 2 : 0));
    this.keys.push(key);
  }

  read(row: number): Problem {
    const [index, line, start, end] = this.spots.slice(4 * row, 4 * row + 4);
    return this.readers[row]({ index, line, start, end });
  }

  known(row: number): Known {
    const flags = this.flags[row];
    return { bytes: this.bytes[row], chained: (flags & 1) > 0, recorded: (flags & 2) > 0, key: this.keys[row] };
  }
}

/** Problems that are not kept in memory, because large datasets do not fit: a range of rows. */
export class ProblemList implements Problems {
  constructor(
    private readonly unread: Unread,
    private readonly from = 0,
    private readonly to = unread.length,
    private readonly change = (problem: Problem) => problem,
  ) {}

  get length(): number {
    return this.to - this.from;
  }

  at(index: number): Problem | undefined {
    const row = index < 0 ? this.to + index : this.from + index;
    return row >= this.from && row < this.to ? this.change(this.unread.read(row)) : undefined;
  }

  known(index: number): Known {
    return this.unread.known(this.from + index);
  }

  count(is: (known: Known) => boolean): number {
    let count = 0;
    for (let i = 0; i < this.length; i++) if (is(this.known(i))) count++;
    return count;
  }

  slice(start = 0, end = this.length): ProblemList {
    const row = (index: number) => Math.min(this.to, Math.max(this.from, (index < 0 ? this.to : this.from) + index));
    return new ProblemList(this.unread, row(start), Math.max(row(start), row(end)), this.change);
  }

  *[Symbol.iterator](): Generator<Problem> {
    for (let i = 0; i < this.length; i++) yield this.at(i)!;
  }

  map<T>(change: (problem: Problem, index: number) => T): T[] {
    return Array.from({ length: this.length }, (_, index) => change(this.at(index)!, index));
  }

  flatMap<T>(change: (problem: Problem, index: number) => T | readonly T[]): T[] {
    // In two statements: biome would turn `this.map(change).flat()` into a call of this function.
    const parts = this.map(change);
    return parts.flat() as T[];
  }

  filter(keep: (problem: Problem, index: number) => unknown): Problem[] {
    return this.flatMap((problem, index) => (keep(problem, index) ? [problem] : []));
  }

  /** The same, with a function applied to each problem on access. */
  changed(change: (problem: Problem) => Problem): ProblemList {
    return new ProblemList(this.unread, this.from, this.to, (problem) => change(this.change(problem)));
  }
}

/** Applies a function to each problem: at once, or on access. */
export function changed(problems: Problems, change: (problem: Problem) => Problem): Problems {
  return problems instanceof ProblemList ? problems.changed(change) : problems.map(change);
}

/** Number of problems with a teacher chain. */
export const chainsIn = (problems: Problems) =>
  problems instanceof ProblemList
    ? problems.count(({ chained }) => chained)
    : problems.filter(({ chain }) => chain !== undefined).length;

/** Number of problems with a recorded answer. */
export const recordedIn = (problems: Problems) =>
  problems instanceof ProblemList
    ? problems.count(({ recorded }) => recorded)
    : problems.filter(({ student }) => student !== undefined).length;

/** A hash of each question (`plainQuestion`): equal for equal questions, and almost always different for others. */
export function questionKeys(problems: Problems): number[] {
  if (!(problems instanceof ProblemList)) return problems.map(({ question }) => questionKey(question));
  return Array.from({ length: problems.length }, (_, i) => problems.known(i).key);
}

/**
 * A question for comparison: letters, numbers and operators, ignoring case, spacing, punctuation and Unicode variants.
 */
export function plainQuestion(question: string): string {
  return question
    .normalize('NFKC')
    .toLowerCase()
    .replace(/(?<!\d)[.,](?!\d)|[.,](?!\d)|(?<!\d)[.,]/g, ' ')
    .replace(/[^\p{L}\p{M}\p{N}.,+*/=<>^%√π-]+/gu, ' ')
    .trim();
}

/**
 * A hash of `plainQuestion`: two 32-bit products each (as in cyrb53, a public-domain hash), 53 bits of the result. For
 * ASCII it is computed without making that text, which would take as long as reading the rows.
 */
export function questionKey(question: string): number {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  const mix = (code: number) => {
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  };
  const ascii = isAscii(question);
  const plain = ascii ? question : plainQuestion(question);
  let gap = false;
  let started = false;
  for (let i = 0; i < plain.length; i++) {
    const code = plain.charCodeAt(i);
    const kept = ascii ? keptInPlain(plain, i, code) : code;
    if (kept === 0) {
      gap = started;
      continue;
    }
    if (gap) mix(space);
    mix(kept);
    gap = false;
    started = true;
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}

/** Whether a text is ASCII. Any white space in it separates words. */
const isAscii = (text: string) => !/[^ -~\s]/.test(text);
const space = 32;

/** The code unit of the plain question for the one at `i` of an ASCII text; 0 if it is dropped. */
function keptInPlain(text: string, i: number, code: number): number {
  if (isDigit(code) || (code >= 97 && code <= 122)) return code;
  if (code >= 65 && code <= 90) return code + 32;
  if (code === 46 || code === 44) return isDigit(text.charCodeAt(i - 1)) && isDigit(text.charCodeAt(i + 1)) ? code : 0;
  return operators.has(code) ? code : 0;
}

const isDigit = (code: number) => code >= 48 && code <= 57;
const operators = new Set([...'+*/=<>^%-'].map((operator) => operator.charCodeAt(0)));

/** At most `count` problems, spread evenly over all. */
export function spread(problems: Problems, count: number): Problem[] {
  if (problems.length <= count) return [...problems];
  return Array.from({ length: count }, (_, i) => problems.at(Math.floor((i * problems.length) / count))!);
}

/** A part of a dataset that is examined: at most `rows`, and `characters` in all, but at least `least` rows. */
interface SampleSize {
  rows: number;
  characters: number;
  least: number;
}

/** Problems spread evenly over all; fewer of them where they are long. */
export function sample(problems: Problems, { rows, characters, least }: SampleSize): Problem[] {
  const size = mean(spread(problems, 50).map(sizeOf));
  return spread(problems, Math.max(least, Math.min(rows, Math.floor(characters / size))));
}

const sizeOf = ({ question, chain = '' }: Problem) => question.length + chain.length;

/** The `count` longest problems, in bytes. */
export function longest(problems: Problems, count: number): Problem[] {
  const sizes =
    problems instanceof ProblemList
      ? Array.from({ length: problems.length }, (_, i) => problems.known(i).bytes)
      : problems.map(sizeOf);
  const order = sizes.map((_, i) => i).sort((a, b) => sizes[b] - sizes[a]);
  return order.slice(0, count).map((i) => problems.at(i)!);
}

/** Up to this many bytes of rows are kept as objects. */
const heldBytes = 32 << 20;
/** Bytes of problems per packed block. */
const packBytes = 8 << 20;

/**
 * Collects problems: those of small datasets as objects, those of large ones for later access, in their file or in
 * packed blocks.
 */
export class Collector {
  private held: Problem[] | null;
  private readonly unread = new Unread();
  private total = 0;
  private pack = Buffer.alloc(0);
  private packed = 0;

  /**
   * `fileBytes`: the size of the files. Problems of large files are not held even at first, as V8 would then place all
   * problems where only a full collection frees them.
   */
  constructor(fileBytes = 0) {
    this.held = fileBytes > 4 * heldBytes ? null : [];
  }

  /** `file` reads the problem from its file again; it must not keep a reference to the problem. */
  add(problem: Problem, file?: { read: Reader; spot: Spot }): void {
    const { question, chain, answer, student } = problem;
    const bytes = question.length + (chain?.length ?? 0) + answer.length + 64;
    this.total += bytes;
    this.held?.push(problem);
    if (this.total > heldBytes) this.held = null;
    const { read, spot } = file ?? (this.held ? { read: () => problem, spot: nowhere } : this.packing(problem));
    const [chained, recorded] = [chain !== undefined, student !== undefined];
    this.unread.add(read, spot, { bytes, chained, recorded, key: questionKey(question) });
  }

  get length(): number {
    return this.unread.length;
  }

  problems(): Problems {
    return this.held ?? new ProblemList(this.unread);
  }

  /** UTF-8, outside of JavaScript's heap. */
  private packing(problem: Problem): { read: Reader; spot: Spot } {
    const bytes = Buffer.from(JSON.stringify(problem), 'utf8');
    if (this.packed + bytes.length > this.pack.length) {
      this.pack = Buffer.alloc(Math.max(packBytes, bytes.length));
      this.packed = 0;
    }
    const [start, end] = [this.packed, this.packed + bytes.length];
    this.pack.set(bytes, start);
    this.packed = end;
    return { read: unpacking(this.pack), spot: { index: 0, line: 0, start, end } };
  }
}

const nowhere: Spot = { index: 0, line: 0, start: 0, end: 0 };

const unpacking =
  (pack: Buffer): Reader =>
  ({ start, end }) =>
    JSON.parse(pack.toString('utf8', start, end)) as Problem;
