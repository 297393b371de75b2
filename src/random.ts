/**
 * Counter-based random numbers: every draw is a pure function of (seed, counters...), so there is no hidden state, and
 * resuming a run needs only its position. Mixing is the 32-bit finalizer of MurmurHash3 (A. Appleby, public domain).
 */
export function mix(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** 32 random bits for these counters (integers; strings are hashed). */
export function bits(seed: number, ...counters: (number | string)[]): number {
  let h = mix(seed ^ 0x9e3779b9);
  for (const counter of counters) {
    if (typeof counter === 'string')
      for (let i = 0; i < counter.length; i++) h = mix(h + counter.charCodeAt(i) + 0x9e3779b9);
    else h = mixCounter(h, counter);
  }
  return mix(h);
}

function mixCounter(h: number, counter: number): number {
  return mix((h + Math.imul(counter | 0, 0x9e3779b1) + 0x7f4a7c15) | 0);
}

/** A uniform number in [0, 1) with 24 bits, exact in float32. */
export function uniform(seed: number, ...counters: (number | string)[]): number {
  return (bits(seed, ...counters) >>> 8) / 0x1000000;
}

/** A sequence of draws. */
export class Random {
  private next = 0;
  private readonly start: number;

  constructor(seed: number, ...counters: (number | string)[]) {
    this.start = mix(bits(seed, ...counters) ^ 0x9e3779b9);
  }

  /** Uniform in [0, 1): `uniform(key, 0)`, `uniform(key, 1)`, ... with the key of the counters. */
  uniform(): number {
    return (mix(mixCounter(this.start, this.next++)) >>> 8) / 0x1000000;
  }

  /** An integer in [low, high], both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1));
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)];
  }

  /** Standard normal (Box-Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** A new array with the items in random order (Fisher-Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const out = items.slice();
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  }
}
