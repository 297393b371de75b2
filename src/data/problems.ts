import type { Problem } from './types';

/** Problems in order: an array, or a list that reads each from its file when it is asked for. */
export interface Problems extends Iterable<Problem> {
  readonly length: number;
  at(index: number): Problem | undefined;
  slice(start?: number, end?: number): Problems;
  map<T>(change: (problem: Problem, index: number) => T): T[];
  flatMap<T>(change: (problem: Problem, index: number) => T | readonly T[]): T[];
  filter(keep: (problem: Problem, index: number) => unknown): Problem[];
}

/** A problem that is read when it is asked for, and what is known of it before. */
export interface Unread {
  read: () => Problem;
  bytes: number;
  /** It has a teacher chain, a recorded answer. */
  chained: boolean;
  recorded: boolean;
  /** Of its question. */
  key: number;
}

/** Problems that are not held: large datasets do not fit into the memory of a program. */
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

  /** The same with each problem changed when it is read. */
  changed(change: (problem: Problem) => Problem): ProblemList {
    return new ProblemList(this.unread.map(({ read, ...known }) => ({ ...known, read: () => change(read()) })));
  }
}

/** Each problem changed: at once, or when it is read. */
export function changed(problems: Problems, change: (problem: Problem) => Problem): Problems {
  return problems instanceof ProblemList ? problems.changed(change) : problems.map(change);
}

/** How many have a teacher chain. */
export const chainsIn = (problems: Problems) =>
  problems instanceof ProblemList
    ? problems.count(({ chained }) => chained)
    : problems.filter(({ chain }) => chain !== undefined).length;

/** How many have an answer that was recorded with them. */
export const recordedIn = (problems: Problems) =>
  problems instanceof ProblemList
    ? problems.count(({ recorded }) => recorded)
    : problems.filter(({ student }) => student !== undefined).length;

/**
 * For each problem a number that is the same for the same question (`plainQuestion`), and nearly always another for
 * others.
 */
export function questionKeys(problems: Problems): number[] {
  if (!(problems instanceof ProblemList)) return problems.map(({ question }) => questionKey(question));
  return Array.from({ length: problems.length }, (_, i) => problems.known(i).key);
}

/**
 * A question as it is compared: letters, numbers and operators, without case, spacing, punctuation and ways to write a
 * character.
 */
export function plainQuestion(question: string): string {
  return question
    .normalize('NFKC')
    .toLowerCase()
    .replace(/(?<!\d)[.,](?!\d)|[.,](?!\d)|(?<!\d)[.,]/g, ' ')
    .replace(/[^\p{L}\p{M}\p{N}.,+*/=<>^%√π-]+/gu, ' ')
    .trim();
}

/** Two products of 32 bits each (as in cyrb53, a hash in the public domain), 53 bits of them. */
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

/** The `count` longest problems, by their bytes. */
export function longest(problems: Problems, count: number): Problem[] {
  const size = ({ question, chain = '' }: Problem) => question.length + chain.length;
  const sizes =
    problems instanceof ProblemList
      ? Array.from({ length: problems.length }, (_, i) => problems.known(i).bytes)
      : problems.map(size);
  const order = sizes.map((_, i) => i).sort((a, b) => sizes[b] - sizes[a]);
  return order.slice(0, count).map((i) => problems.at(i)!);
}

/** Bytes of rows that are simply held. */
const heldBytes = 32 << 20;
/** Bytes of problems that are packed together. */
const packBytes = 8 << 20;

/**
 * Collects problems: the few of usual datasets as they are, those of large ones to be read again, from their file or
 * from packed bytes.
 */
export class Collector {
  private held: Problem[] | null = [];
  private readonly unread: Unread[] = [];
  private total = 0;
  private pack = Buffer.alloc(0);
  private packed = 0;

  /** `reread`: where the problem can be had from its file again; it must not hold the problem. */
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

  /** Outside of the heap of JavaScript, as UTF-8. */
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
