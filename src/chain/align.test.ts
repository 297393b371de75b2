import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../random';
import { cpuTime } from '../testing/cpu-time';
import { alignSteps, alignTokens } from './align';

const draw = (seed: number, n: number, vocabulary: number) => {
  const random = new Random(seed);
  return Array.from({ length: n }, () => random.integer(0, vocabulary - 1));
};
const tokens = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 30 });

describe('two sequences', () => {
  test('equal tokens share a column, the others face gaps', () => {
    expect(alignTokens(['a', 'b', 'c', 'd'], ['a', 'x', 'c', 'd', 'e'])).toEqual([
      [0, 0],
      [1, null],
      [null, 1],
      [2, 2],
      [3, 3],
      [null, 4],
    ]);
    expect(alignTokens([], [])).toEqual([]);
    expect(alignTokens([1], [])).toEqual([[0, null]]);
  });

  test('every token is in one column, in order, and pairs are equal', () => {
    fc.assert(
      fc.property(tokens, tokens, (a, b) => {
        const columns = alignTokens(a, b);
        expect(columns.flatMap(([x]) => (x === null ? [] : [x]))).toEqual(a.map((_, i) => i));
        expect(columns.flatMap(([, y]) => (y === null ? [] : [y]))).toEqual(b.map((_, i) => i));
        expect(columns.every(([x, y]) => x === null || y === null || a[x] === b[y])).toBe(true);
      }),
    );
  });

  test('as many tokens as possible are paired', () => {
    fc.assert(
      fc.property(tokens, tokens, (a, b) => {
        const lengths = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
        for (let i = 1; i <= a.length; i++)
          for (let j = 1; j <= b.length; j++)
            lengths[i][j] =
              a[i - 1] === b[j - 1] ? lengths[i - 1][j - 1] + 1 : Math.max(lengths[i - 1][j], lengths[i][j - 1]);
        const pairs = alignTokens(a, b).filter(([x, y]) => x !== null && y !== null);
        expect(pairs).toHaveLength(lengths[a.length][b.length]);
      }),
    );
  });

  test('2 x 2,000 tokens take less than 50 ms however different they are', () => {
    const pairs = [
      [draw(1, 2000, 400), draw(2, 2000, 400)],
      [draw(1, 2000, 8000), draw(2, 2000, 8000)],
      [draw(1, 2000, 10), draw(2, 2000, 10).map((token) => token + 10)],
    ];
    alignTokens(draw(3, 500, 50), draw(4, 500, 50));
    for (const [a, b] of pairs) {
      expect(cpuTime(() => alignTokens(a, b), 5)).toBeLessThan(50);
    }
  });

  test('very long sequences are aligned quickly at their unique tokens, or not at all', () => {
    const base = draw(1, 30_000, 1_000_000);
    const changed = base.flatMap((token, i) => (i % 10 === 0 ? [token, -i - 1] : i % 7 === 0 ? [] : [token]));
    const columns = alignTokens(base, changed);
    const paired = columns.filter(([x, y]) => x !== null && y !== null).length;
    expect(paired).toBeGreaterThan(0.99 * base.filter((_, i) => i % 10 === 0 || i % 7 !== 0).length);
    const [zeros, ones] = [draw(1, 50_000, 2), draw(2, 50_000, 2)];
    expect(cpuTime(() => alignTokens(zeros, ones), 1)).toBeLessThan(2000);
    expect(alignTokens(zeros, ones).length).toBeGreaterThan(99_000);
  });
});

describe('steps', () => {
  test('are paired by their words and numbers', () => {
    const teacher = ['Clips sold in April: 48', 'Clips sold in May: 48 / 2 = 24', 'Both months: 48 + 24 = 72 clips'];
    const student = ['In May she sold 48 / 2 = 24', 'Good morning', 'In total 48 + 24 = 72'];
    const pairs = alignSteps(teacher, student);
    expect(pairs.map(({ a, b }) => [a, b])).toEqual([
      [0, null],
      [1, 0],
      [null, 1],
      [2, 2],
    ]);
    expect(alignSteps(teacher, teacher).every(({ a, b }) => a === b)).toBe(true);
  });

  test('each is in one pair, in order', () => {
    const steps = fc.array(
      fc.array(fc.constantFrom('a', 'b', '12', '7', 'c'), { maxLength: 4 }).map((w) => w.join(' ')),
    );
    fc.assert(
      fc.property(steps, steps, (a, b) => {
        const pairs = alignSteps(a, b);
        expect(pairs.flatMap((pair) => pair.a ?? [])).toEqual(a.map((_, i) => i));
        expect(pairs.flatMap((pair) => pair.b ?? [])).toEqual(b.map((_, i) => i));
      }),
    );
  });

  test('thousands of steps are paired when equal', () => {
    const many = Array.from({ length: 3000 }, (_, i) => `step ${i}`);
    expect(alignSteps(many, many.slice(1)).filter(({ a, b }) => a !== null && b !== null)).toHaveLength(2999);
  });
});
