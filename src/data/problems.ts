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

/** A problem that is read on access, with facts known before. */
export interface Unread {
  read: () => Problem;
  bytes: number;
  /** It has a teacher chain, or a recorded answer. */
  chained: boolean;
  recorded: boolean;
  /** Of its question. */
  key: number;
}

/** Problems that are not kept in memory, because large datasets do not fit. */
export class ProblemList implements Problems {
  constructor(private readonly unread: readonly Unread[]) {}

  get length(): number {
    return this.unread.length;
  }

  at(index: number): Problem | undefined {
    return this.unread.at(index)?.read();
  }

  known(index: number): Omit<Unread, 'read'> {
    return this.unread[index];
  }

  count(is: (known: Unread) => boolean): number {
    return this.unread.filter(is).length;
  }

  slice(start?: number, end?: number): ProblemList {
    return new ProblemList(this.unread.slice(start, end));
  }

  *[Symbol.iterator](): Generator<Problem> {
    for (const { read } of this.unread) yield read();
  }

  map<T>(change: (problem: Problem, index: number) => T): T[] {
    return this.unread.map(({ read }, index) => change(read(), index));
  }

  flatMap<T>(change: (problem: Problem, index: number) => T | readonly T[]): T[] {
    return this.unread.flatMap(({ read }, index) => change(read(), index));
  }

  filter(keep: (problem: Problem, index: number) => unknown): Problem[] {
    return this.flatMap((problem, index) => (keep(problem, index) ? [problem] : []));
  }

  /** The same, with a function applied to each problem on access. */
  changed(change: (problem: Problem) => Problem): ProblemList {
    return new ProblemList(this.unread.map(({ read, ...known }) => ({ ...known, read: () => change(read()) })));
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

/** Two 32-bit products each (as in cyrb53, a public-domain hash), 53 bits of the result. */
function questionKey(question: string): number {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  const plain = plainQuestion(question);
  for (let i = 0; i < plain.length; i++) {
    const code = plain.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}

/** At most `count` problems, spread evenly over all. */
export function spread(problems: Problems, count: number): Problem[] {
  if (problems.length <= count) return [...problems];
  return Array.from({ length: count }, (_, i) => problems.at(Math.floor((i * problems.length) / count))!);
}

/** The `count` longest problems, in bytes. */
export function longest(problems: Problems, count: number): Problem[] {
  const size = ({ question, chain = '' }: Problem) => question.length + chain.length;
  const sizes =
    problems instanceof ProblemList
      ? Array.from({ length: problems.length }, (_, i) => problems.known(i).bytes)
      : problems.map(size);
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
  private held: Problem[] | null = [];
  private readonly unread: Unread[] = [];
  private total = 0;
  private pack = Buffer.alloc(0);
  private packed = 0;

  /** `reread` reads the problem from its file again; it must not keep a reference to the problem. */
  add(problem: Problem, reread: (() => Problem) | undefined): void {
    const { question, chain = '', answer } = problem;
    const bytes = question.length + chain.length + answer.length + 64;
    this.total += bytes;
    this.held?.push(problem);
    if (this.total > heldBytes) this.held = null;
    const read = reread ?? (this.held ? () => problem : this.packing(problem));
    this.unread.push({
      read,
      bytes,
      chained: problem.chain !== undefined,
      recorded: problem.student !== undefined,
      key: questionKey(question),
    });
  }

  get length(): number {
    return this.unread.length;
  }

  problems(): Problems {
    return this.held ?? new ProblemList(this.unread);
  }

  /** UTF-8, outside of JavaScript's heap. */
  private packing(problem: Problem): () => Problem {
    const bytes = Buffer.from(JSON.stringify(problem), 'utf8');
    if (this.packed + bytes.length > this.pack.length) {
      this.pack = Buffer.alloc(Math.max(packBytes, bytes.length));
      this.packed = 0;
    }
    const part = this.pack.subarray(this.packed, this.packed + bytes.length);
    part.set(bytes);
    this.packed += bytes.length;
    return () => JSON.parse(part.toString('utf8')) as Problem;
  }
}
