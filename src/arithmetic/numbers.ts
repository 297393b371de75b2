import type { Span } from '../answers/span';
import { freeNumbers, type Givens, numberKey } from './givens';

/** The derivation of a text's numbers from the given ones. */
export interface Derivation {
  /** Derived numbers by step, with the position where they are first derived. */
  derived: Map<number, Span>;
  /** Operands without a source, by the position where they first occur. */
  strange: Map<number, Span>;
  /** True equations whose numbers and result are unrelated to the rest. */
  unrelated: Map<number, Span>;
  /** Results that nothing else uses. */
  unused: Map<number, Span>;
  /** The question's numbers that a derived number depends on. */
  roots(key: number): ReadonlySet<number>;
}

const noRoots: ReadonlySet<number> = new Set();

/** The known numbers at a position of the text, with their origins. */
export class KnownNumbers implements Derivation {
  readonly derived = new Map<number, Span>();
  readonly strange = new Map<number, Span>();
  readonly unrelated = new Map<number, Span>();
  readonly unused = new Map<number, Span>();
  /** Each with the question's number that it comes from. */
  private readonly own: Map<number, number>;
  /** The numbers of the question, which `roots` reports on. */
  private readonly asked: ReadonlySet<number>;
  private readonly common: Set<number>;
  private readonly sources = new Map<number, ReadonlySet<number>>();
  /** Treats every operand as given. */
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
   * Records that a number is derived from others. If none of those comes from the question, neither does this one.
   * `made`: those of them whose roots it inherits.
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
    // Its integer part may be used further.
    if (!Number.isInteger(key) && key > 2)
      for (const whole of [Math.floor(key), Math.ceil(key)]) if (!this.own.has(whole)) this.own.set(whole, key);
    if (!this.derived.has(key)) this.derived.set(key, place);
    // If a number is derived twice, a later use is ambiguous.
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

/** Maximum numbers of a prose sentence that are combined with each other. */
export const mostMentions = 12;

/**
 * Two of the numbers that give another one as their sum, difference, product or quotient, or all of them if their sum
 * does.
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
