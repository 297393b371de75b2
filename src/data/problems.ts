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

/** A problem that is read when it is asked for, and how many bytes it has. */
export interface Unread {
  read: () => Problem;
  bytes: number;
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

  bytesAt(index: number): number {
    return this.unread[index].bytes;
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
    return new ProblemList(this.unread.map(({ read, bytes }) => ({ read: () => change(read()), bytes })));
  }
}

/** Each problem changed: at once, or when it is read. */
export function changed(problems: Problems, change: (problem: Problem) => Problem): Problems {
  return problems instanceof ProblemList ? problems.changed(change) : problems.map(change);
}

/** How many there are of a kind. */
export function countOf(problems: Problems, is: (problem: Problem) => boolean): number {
  let count = 0;
  for (const problem of problems) if (is(problem)) count++;
  return count;
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
      ? Array.from({ length: problems.length }, (_, i) => problems.bytesAt(i))
      : problems.map(size);
  const order = sizes.map((_, i) => i).sort((a, b) => sizes[b] - sizes[a]);
  return order.slice(0, count).map((i) => problems.at(i)!);
}

/** Bytes of rows that are simply held. */
const heldBytes = 32 << 20;
/** Bytes of problems that are packed together. */
const packBytes = 8 << 20;

/** Collects problems: the few of usual datasets as they are, those of large ones to be read again, from their file or from packed bytes. */
export class Collector {
  private held: Problem[] | null = [];
  private readonly unread: Unread[] = [];
  private total = 0;
  private pack = Buffer.alloc(0);
  private packed = 0;

  /** `reread`: where the problem can be had from its file again. */
  add(problem: Problem, reread: (() => Problem) | undefined, bytes: number): void {
    this.total += bytes;
    this.held?.push(problem);
    if (this.held && this.total <= heldBytes) {
      this.unread.push({ read: reread ?? (() => problem), bytes });
      return;
    }
    this.held = null;
    this.unread.push({ read: reread ?? this.packing(problem), bytes });
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
