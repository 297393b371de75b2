import { freeNumbers, type Givens, numberKey } from './givens';
import type { Span } from './types';

/** What a text derives from the numbers that are given. */
export interface Derivation {
  /** Numbers that come out of a step, by the place where they do first. */
  derived: Map<number, Span>;
  /** Numbers that are computed with and come from nowhere, by where they stand first. */
  strange: Map<number, Span>;
  /** True equations of which neither a number nor the result has to do with the rest. */
  unrelated: Map<number, Span>;
  /** Results that nothing is made of. */
  unused: Map<number, Span>;
  /** The numbers of the question that a derived number is made of. */
  roots(key: number): ReadonlySet<number>;
}

const noRoots: ReadonlySet<number> = new Set();

/** What is known at a place of the text, and how it came to be. */
export class Numbers implements Derivation {
  readonly derived = new Map<number, Span>();
  readonly strange = new Map<number, Span>();
  readonly unrelated = new Map<number, Span>();
  readonly unused = new Map<number, Span>();
  /** Each with the number of the question that it stands for. */
  private readonly own: Map<number, number>;
  /** The numbers of the question: all that `roots` has to tell of. */
  private readonly asked: ReadonlySet<number>;
  private readonly common: Set<number>;
  private readonly sources = new Map<number, ReadonlySet<number>>();
  /** Every number that is computed with counts as given. */
  readonly trusting: boolean;

  constructor(givens: Givens | null) {
    this.own = new Map(givens?.own);
    this.asked = new Set(this.own.values());
    this.common = new Set(givens?.common ?? freeNumbers);
    this.trusting = givens === null;
  }

  isKnown(key: number): boolean {
    return this.own.has(key) || this.common.has(key);
  }

  isOwn(key: number): boolean {
    return this.own.has(key);
  }

  /**
   * Takes down that a number comes from others; where none of these is the question's it is of no more use than they
   * are. `made`: those of them whose numbers of the question it is made of.
   */
  learn(key: number, from: readonly number[], place: Span, made: readonly number[] = from): void {
    const isOwn = this.trusting || from.some((one) => this.own.has(one));
    if (!isOwn) {
      if (!this.isKnown(key)) this.unrelated.set(key, place);
      this.common.add(key);
      return;
    }
    for (const one of from) {
      this.unrelated.delete(one);
      this.unused.delete(one);
    }
    if (!this.own.has(key) && !this.derived.has(key)) this.unused.set(key, place);
    if (!this.own.has(key)) this.own.set(key, key);
    // What is whole of it may be gone on with.
    if (!Number.isInteger(key) && key > 2)
      for (const whole of [Math.floor(key), Math.ceil(key)]) if (!this.own.has(whole)) this.own.set(whole, key);
    if (!this.derived.has(key)) this.derived.set(key, place);
    // Of a number that comes up twice nobody knows which is meant later.
    const roots = made.filter((one) => one !== key).flatMap((one) => [...this.roots(one)]);
    const asked = roots.filter((root) => this.asked.has(root));
    this.sources.set(key, new Set([...asked, ...(this.sources.get(key) ?? [])]));
  }

  roots(key: number): ReadonlySet<number> {
    const root = this.own.get(key);
    if (root === undefined) return noRoots;
    return new Set([root, ...(this.sources.get(key) ?? []), ...(this.sources.get(root) ?? [])]);
  }
}

/** Most numbers of a sentence of prose that are tried with each other. */
export const mostMentions = 12;

/**
 * Two of the numbers that make another one as their sum, difference, product or quotient, or all of them where their
 * sum does.
 */
export function sourcesOf(key: number, numbers: readonly number[]): readonly number[] | null {
  const is = (value: number) => numberKey(value) === key;
  if (numbers.length > 2 && is(numbers.reduce((a, b) => a + b))) return numbers;
  for (const a of numbers)
    for (const b of numbers) {
      if (is(a + b) || is(a * b)) return [a, b];
      if (a !== b && (is(a - b) || (b !== 0 && is(a / b)))) return [a, b];
    }
  return null;
}
