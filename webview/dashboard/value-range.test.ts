import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stageNames } from '../../src/stages';
import { layOut } from './axis';
import { drawn, plain, smoothed } from './curve';
import { panelsOf } from './metrics';
import { anyNumber, anyValues, updatesOf } from './testing/updates';
import { Track } from './track';
import { logTicks, padded, valueRange, zoomed } from './value-range';

const anyWeight = fc.constantFrom(0, 0.5, 0.6, 0.85, 0.95, 0.99);

function trackOf(values: readonly number[]): Track {
  const track = new Track('/run');
  track.take(updatesOf('/run', values));
  return track;
}

describe('a chart’s range', () => {
  it('is finite, shows its values and is never narrower than a billionth of its size, whatever the values', () => {
    fc.assert(
      fc.property(anyValues, anyWeight, fc.boolean(), (values, weight, log) => {
        const track = trackOf(values);
        const { placed } = layOut([track], 'updates', new Set(stageNames.keys()));
        for (const { metrics } of panelsOf([track]))
          for (const { key, fromZero } of metrics) {
            const column = track.column(key)!;
            const line = (of: Float64Array) =>
              drawn(of, placed[0], { min: 0, max: values.length }, { buckets: 50, log });
            const raw = line(plain(column, placed[0]));
            const shown = valueRange([line(smoothed(column, placed[0], weight))], [raw], values, log);
            const { min, max } = padded(shown, { log, fromZero: fromZero === true });
            expect(Number.isFinite(max - min)).toBe(true);
            expect(max - min).toBeGreaterThanOrEqual(1e-9 * Math.max(Math.abs(min), Math.abs(max)));
            expect(max).toBeGreaterThan(min);
            if (log) expect(min).toBeGreaterThan(0);
            for (const value of raw.y) if (value !== null) expect(min <= value && value <= max).toBe(true);
          }
      }),
      { numRuns: 300 },
    );
  });

  it('is that of the value alone where there is one, smoothed or not', () => {
    const { placed } = layOut([trackOf([1])], 'updates', new Set(stageNames.keys()));
    fc.assert(
      fc.property(anyNumber, anyWeight, (value, weight) => {
        const [first] = smoothed(Float64Array.of(value), placed[0], weight);
        expect(first).toBe(Math.abs(value) <= 1e100 ? value + 0 : Number.NaN); // no −0
      }),
      { numRuns: 5000 },
    );
  });

  it('has room for a value that does not change', () => {
    const axis = { log: false, fromZero: false };
    expect(padded({ min: 2, max: 2 }, axis)).toEqual({ min: 1.8, max: 2.2 });
    expect(padded({ min: 0, max: 0 }, axis)).toEqual({ min: -0.1, max: 0.1 });
    expect(padded({ min: 0.25, max: 0.75 }, { ...axis, fromZero: true })).toEqual({ min: 0, max: 0.79 });
    expect(padded(undefined, axis)).toEqual({ min: 0, max: 1 });
  });
});

describe('ticks of a log axis', () => {
  it('are few, ascend and lie in the range', () => {
    const anyValue = fc.double({ min: -100, max: 100, noNaN: true }).map((power) => 10 ** power);
    fc.assert(
      fc.property(anyValue, anyValue, (a, b) => {
        const range = padded({ min: Math.min(a, b), max: Math.max(a, b) }, { log: true, fromZero: false });
        const ticks = logTicks(range);
        expect(ticks.length).toBeGreaterThan(0);
        expect(ticks.length).toBeLessThanOrEqual(12);
        for (const [i, tick] of ticks.entries()) {
          expect(tick >= range.min && tick <= range.max).toBe(true);
          if (i > 0) expect(tick).toBeGreaterThan(ticks[i - 1]);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('are round numbers', () => {
    expect(logTicks({ min: 0.008, max: 12 })).toEqual([0.01, 0.1, 1, 10]);
    expect(logTicks({ min: 3, max: 240 })).toEqual([5, 10, 20, 50, 100, 200]);
    expect(logTicks({ min: 2.5, max: 3.6 })).toEqual([2.6, 2.8, 3, 3.2, 3.4, 3.6]);
    expect(logTicks({ min: 1e-20, max: 1e4 })).toEqual([1e-20, 1e-15, 1e-10, 1e-5, 1]);
  });
});

it('smoothing does not move equal values', () => {
  const values = Array<number>(50).fill(-1.70113334139265);
  const { placed } = layOut([trackOf(values)], 'updates', new Set(stageNames.keys()));
  for (const weight of [0.5, 0.85, 0.99])
    expect(new Set(smoothed(Float64Array.from(values), placed[0], weight))).toEqual(new Set([values[0]]));
});

it('zooming ends where two positions of the axis are no longer distinct', () => {
  const whole = 400;
  let range = { min: 0, max: whole };
  for (let i = 0; i < 100; i++) range = zoomed({ min: range.min, max: (range.min + range.max) / 2 }, whole);
  expect(range.max - range.min).toBeGreaterThan(1e-9 * whole);
  fc.assert(
    fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (min, max) => {
      const shown = zoomed({ min, max }, whole);
      expect(shown.min).toBeGreaterThanOrEqual(0);
      expect(shown.max).toBeLessThanOrEqual(whole);
      expect(shown.max - shown.min).toBeGreaterThan(whole * 0.9e-6);
    }),
  );
});
