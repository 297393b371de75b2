import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stageNames } from '../../src/stages';
import { layOut, nearest, positionOf, shortStep, stepTicks } from './axis';
import { drawn, isolatedPoints, plain, smoothed } from './curve';
import { all, type MetricRow, message, steps, track } from './testing/tracks';
import { Track } from './track';
import { valueRange } from './value-range';

describe('a track', () => {
  it('grows by messages, distinguishes NaN from missing values, and starts again', () => {
    const made = track('a', steps('sft', 3));
    expect(
      made.take({
        ...message(
          'a',
          steps('complete', 2, 10, () => ({ loss: 0.1, reward: 0.5, kl: Number.NaN })),
          3,
        ),
        broken: [['kl', 3]],
      }),
    ).toBe(true);
    expect(made.rows).toBe(5);
    expect(made.value('crossEntropy', 2)).toBe(1);
    expect(made.value('crossEntropy', 3)).toBeUndefined();
    expect(made.value('policyLoss', 3)).toBe(0.1);
    expect(made.value('kl', 3)).toBeNaN();
    expect(made.value('kl', 4)).toBeUndefined();
    expect([made.sampled(2), made.sampled(3)]).toEqual([false, true]);
    expect(made.step[4]).toBe(2);
    expect(made.take(message('a', steps('rewrite', 1), 9))).toBe(false); // rows 5 to 8 are missing
    made.take(message('a', steps('reconstruct', 1)));
    expect([made.rows, made.value('reward', 0), made.value('crossEntropy', 0)]).toEqual([1, undefined, 1]);
  });

  it('takes a hundred thousand rows in small messages quickly', () => {
    const made = new Track('a');
    const started = performance.now();
    for (let from = 0; from < 100_000; from += 1000)
      made.take(
        message(
          'a',
          steps('complete', 1000, 0, (i) => ({ loss: i, reward: i })),
          from,
        ),
      );
    expect(made.rows).toBe(100_000);
    expect(performance.now() - started).toBeLessThan(60_000);
  });
});

describe('the axis', () => {
  it('by updates: stageNames of several runs begin at the same place', () => {
    const first = track('a', [...steps('sft', 4), ...steps('complete', 2, 10)]);
    const second = track('b', [...steps('sft', 2), ...steps('reconstruct', 3, 5), ...steps('complete', 3, 10)]);
    const { placed, bands, max } = layOut([first, second], 'updates', all);
    expect(bands.map(({ stage, from, to }) => [stageNames[stage], from, to])).toEqual([
      ['sft', 0, 4],
      ['reconstruct', 4, 7],
      ['complete', 7, 10],
    ]);
    expect([...placed[0].x]).toEqual([1, 2, 3, 4, 8, 9]);
    expect([...placed[1].x]).toEqual([1, 2, 5, 6, 7, 8, 9, 10]);
    expect(max).toBe(10);
    expect(nearest(placed[0], 5.9)).toBe(3);
    expect(nearest(placed[0], 6.1)).toBe(4);
    expect(nearest(placed[0], 99)).toBe(5);
    expect(positionOf(first, placed[0], 'complete', 2)).toBe(9);
    expect(positionOf(second, placed[1], 'reconstruct', 0)).toBe(2);
    expect(positionOf(second, placed[1], 'sft', 0)).toBe(0);
    expect(positionOf(first, placed[0], 'rewrite', 1)).toBeUndefined();
  });

  it('has the stages in the order of training, whatever the runs and the order of their updates', () => {
    const bandsOf = (...tracks: Track[]) => layOut(tracks, 'stages', all).bands.map(({ stage }) => stageNames[stage]);
    const later = track('b', steps('rewrite', 3));
    expect(bandsOf(later, track('a', steps('complete', 2)))).toEqual(['complete', 'rewrite']);
    expect(bandsOf(later, track('a', [...steps('complete', 2), ...steps('sft', 2, 9)]))).toEqual([
      'sft',
      'complete',
      'rewrite',
    ]);
    const anyRun = fc.array(fc.tuple(fc.constantFrom(...stageNames), fc.integer({ min: 1, max: 4 })), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(anyRun, { minLength: 1, maxLength: 3 }), fc.boolean(), (runs, evenly) => {
        const tracks = runs.map((parts, i) =>
          track(
            `${i}`,
            parts.flatMap(([stage, count]) => steps(stage, count)),
          ),
        );
        const { placed, bands } = layOut(tracks, evenly ? 'stages' : 'updates', all);
        const order = bands.map(({ stage }) => stage);
        expect(order).toEqual([...new Set(order)].sort((a, b) => a - b));
        for (const [i, { rows, x }] of placed.entries()) {
          expect([...rows].sort((a, b) => a - b)).toEqual([...Array(tracks[i].rows).keys()]);
          for (let at = 1; at < x.length; at++) expect(x[at]).toBeGreaterThan(x[at - 1]);
          for (const [at, row] of rows.entries()) {
            const band = bands.find(({ stage }) => stage === tracks[i].stage[row])!;
            expect(x[at] > band.from && x[at] <= band.to + 1e-9).toBe(true);
          }
        }
      }),
    );
  });

  it('has the phases of a stage by their first step', () => {
    const made = (run: string, phases: [string, number, number][]) => {
      const rows = phases.flatMap(([, from, count]) =>
        steps('rewrite', count).map((row, i) => [row[0], from + i, i, {}] as MetricRow),
      );
      const track = new Track(run);
      const phase = Uint8Array.from(phases.flatMap(([, , count], i) => Array<number>(count).fill(i)));
      track.take({ ...message(run, rows), phases: phases.map(([name]) => name), phase });
      return track;
    };
    const both = made('a', [
      ['rewrite', 1, 3],
      ['internalise', 5, 2],
    ]);
    const second = made('b', [['internalise', 1, 2]]);
    const first = made('c', [['rewrite', 1, 2]]);
    for (const tracks of [
      [both, second],
      [second, both],
      [second, first],
      [first, second],
    ])
      expect(layOut(tracks, 'updates', all).bands.map(({ phase }) => phase)).toEqual(['rewrite', 'internalise']);
  });

  it('leaves out stages that are not shown', () => {
    const only = track('a', [...steps('sft', 4), ...steps('complete', 2, 10)]);
    const { placed, bands } = layOut([only], 'updates', new Set([stageNames.indexOf('complete')]));
    expect([...placed[0].rows]).toEqual([4, 5]);
    expect([...placed[0].x]).toEqual([1, 2]);
    expect(bands).toHaveLength(1);
  });

  it('by time: in seconds, never backwards', () => {
    const rows = [...steps('sft', 3, 5), ...steps('complete', 2, 20)];
    rows[4][2] = 1; // the clock was set back
    const { placed, bands, max } = layOut([track('a', rows)], 'time', all);
    expect([...placed[0].x]).toEqual([0, 1, 2, 15, 15]);
    expect(bands.map(({ from, to }) => [from, to])).toEqual([
      [0, 2],
      [2, 15],
    ]);
    expect(max).toBe(15);
  });

  it('of nothing is empty', () => {
    expect(layOut([new Track('a')], 'updates', all)).toMatchObject({ bands: [], min: 0, max: 1 });
    expect(layOut([new Track('a')], 'time', all).placed[0].x).toHaveLength(0);
    expect(nearest(layOut([new Track('a')], 'updates', all).placed[0], 3)).toBe(-1);
  });
});

describe('curves', () => {
  const values = (count: number, of: (i: number) => number) => Float64Array.from({ length: count }, (_, i) => of(i));
  const rising = (count: number) => values(count, (i) => i);
  const placedOf = (count: number, split = count) =>
    layOut([track('a', [...steps('sft', split), ...steps('complete', count - split, 1e4)])], 'updates', all).placed[0];

  it('are smoothed without a bias to 0, separately in each stage, skipping values that are not finite', () => {
    const placed = placedOf(6, 3);
    const smooth = smoothed(new Float64Array([10, 10, Number.NaN, 2, 4, Number.POSITIVE_INFINITY]), placed, 0.9);
    expect(smooth[0]).toBeCloseTo(10);
    expect(smooth[1]).toBeCloseTo(10);
    expect(smooth[2]).toBeNaN();
    expect(smooth[3]).toBeCloseTo(2);
    expect(smooth[4]).toBeCloseTo((0.9 * 2 + 4) / 1.9);
    expect(smoothed(new Float64Array([1, 2, 3, 4, 5, 6]), placed, 0)).toEqual(new Float64Array([1, 2, 3, 4, 5, 6]));
  });

  it('are drawn whole where there is room, with an end at each stage', () => {
    const line = drawn(rising(6), placedOf(6, 3), { min: 0, max: 7 }, { buckets: 100, log: false });
    expect(line.x).toEqual([1, 2, 3, 3.5, 4, 5, 6]);
    expect(line.y).toEqual([0, 1, 2, null, 3, 4, 5]);
  });

  it('are drawn in part when zoomed, with a neighbour on each side', () => {
    const line = drawn(rising(10), placedOf(10), { min: 4.5, max: 6.5 }, { buckets: 100, log: false });
    expect(line.x).toEqual([4, 5, 6, 7, 8]);
  });

  it('keep every spike of a hundred thousand updates', () => {
    const count = 100_000;
    const noisy = values(count, (i) => (i === 54_321 ? 99 : i === 54_322 ? -99 : Math.sin(i)));
    const line = drawn(noisy, placedOf(count), { min: 0, max: count }, { buckets: 400, log: false });
    expect(line.x.length).toBeLessThanOrEqual(804);
    expect(line.y).toContain(99);
    expect(line.y).toContain(-99);
    expect([...line.x].sort((a, b) => a - b)).toEqual(line.x);
  });

  it('leave out what has no logarithm', () => {
    const line = drawn(rising(3), placedOf(3), { min: 0, max: 4 }, { buckets: 10, log: true });
    expect(line.y).toEqual([1, 2]);
  });

  it('set a range that shows the smooth line, and all but the outermost of the raw one', () => {
    const raw = { x: [], y: values(200, (i) => (i === 7 ? 1000 : 5 + (i % 2))) };
    const range = valueRange([{ x: [], y: [5.4, null, 5.6] }], [{ ...raw, y: [...raw.y] }], [4], false);
    expect(range).toEqual({ min: 4, max: 6 });
    expect(valueRange([{ x: [], y: [] }], [], [], false)).toBeUndefined();
  });

  it('show an isolated value as a point', () => {
    expect(isolatedPoints([1, null, 2, undefined, 3, null, undefined, 4])).toEqual([0, 7]);
    expect(isolatedPoints([null, 5, undefined, null])).toEqual([1]);
    expect(isolatedPoints([])).toEqual([]);
  });

  it('take their values at the placed rows', () => {
    const { placed } = layOut(
      [track('a', [...steps('sft', 2), ...steps('complete', 2, 9)])],
      'updates',
      new Set([stageNames.indexOf('complete')]),
    );
    expect(plain(new Float64Array([1, 2, 3, 4]), placed[0])).toEqual(new Float64Array([3, 4]));
  });
});

describe('ticks by stages', () => {
  it('count each stage for itself, with room for their numbers', () => {
    const { bands, max } = layOut([track('a', [...steps('sft', 900), ...steps('complete', 40, 1e4)])], 'stages', all);
    expect(bands[0].to / max).toBeCloseTo(Math.log1p(900) / (Math.log1p(900) + Math.log1p(40)));
    const ticks = stepTicks(bands, { min: 0, max }, 400);
    expect(ticks.map(({ step }) => step)).toEqual([200, 400, 600, 800, 10, 20, 30]);
    expect(ticks[4].x).toBeGreaterThan(bands[1].from);
    expect(stepTicks(bands, { min: bands[1].from, max }, 400).map(({ step }) => step)).toEqual([
      5, 10, 15, 20, 25, 30, 35,
    ]);
    expect([800, 12_500, 20_000].map(shortStep)).toEqual(['800', '12500', '20k']);
  });
});
