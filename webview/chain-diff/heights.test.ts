import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heights } from './heights';

describe('Heights', () => {
  it('agrees with sums of the heights, whatever was measured and in any order', () => {
    const measure = fc.array(fc.tuple(fc.nat(29), fc.integer({ min: 1, max: 300 })), { maxLength: 60 });
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 10, max: 200 }), { minLength: 30, maxLength: 30 }),
        measure,
        (sizes, measured) => {
          const heights = new Heights(sizes);
          for (const [row, height] of measured) {
            heights.top(fc.sample(fc.nat(30), 1)[0]);
            heights.measured(row, height);
            sizes[row] = height;
          }
          sizes.reduce((top, size, row) => {
            expect(heights.top(row)).toBe(top);
            expect(heights.rowAt(top)).toBe(row);
            expect(heights.rowAt(top + size - 1)).toBe(row);
            return top + size;
          }, 0);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('lays out visible rows and some more, and nothing else', () => {
    const heights = new Heights(Array.from({ length: 1000 }, () => 20));
    expect(heights.range(0, 500, 100)).toEqual({ first: 0, end: 31 });
    expect(heights.range(10_000, 500, 100)).toEqual({ first: 495, end: 531 });
    expect(heights.range(1e9, 500, 100)).toEqual({ first: 999, end: 1000 });
    expect(new Heights([]).range(0, 500, 100)).toEqual({ first: 0, end: 0 });
    expect(heights.total).toBe(20_000);
  });

  it('reports whether a measurement changed anything', () => {
    const heights = new Heights([20, 20]);
    expect(heights.measured(0, 20.2)).toBe(false);
    expect(heights.measured(0, 40)).toBe(true);
    expect(heights.top(1)).toBe(40);
  });
});
