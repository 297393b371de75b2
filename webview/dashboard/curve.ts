import { firstAtLeast, type PlacedRows } from './axis';

/** Points of a drawn line; null separates segments. */
export interface PlottedLine {
  x: number[];
  y: (number | null)[];
}

/** Larger values are skipped like infinite ones: sums and differences of drawn values must stay finite. */
const largest = 1e100;

/** Whether a value can be drawn; a log axis has no place for values that are not above 0. */
export function drawable(value: number, log: boolean): boolean {
  return Math.abs(value) <= largest && (!log || value >= 1 / largest);
}

/**
 * An exponential moving average with bias correction (Kingma & Ba 2015, section 3), restarted in each segment. `weight`
 * in [0, 1) is the share of the past that is kept per thousandth of the updates, so that a curve is equally smooth for
 * any length of run; values that cannot be drawn are skipped. One value per placed row. Computed as steps towards each
 * value, so that the first value of a segment, and the mean of equal values, are exact.
 */
export function smoothed(values: Float64Array, placed: PlacedRows, weight: number): Float64Array {
  const out = new Float64Array(placed.rows.length);
  const keep = weight ** Math.min(1, 1000 / out.length);
  let mean = 0;
  let count = 0;
  for (let i = 0; i < out.length; i++) {
    if (i === 0 || placed.stretch[i] !== placed.stretch[i - 1]) mean = count = 0;
    const value = values[placed.rows[i]];
    if (drawable(value, false)) {
      count = keep * count + 1;
      mean += (value - mean) / count;
      out[i] = mean;
    } else out[i] = Number.NaN;
  }
  return out;
}

/** The column's values at the placed rows; without copying if possible. */
export function plain(values: Float64Array, placed: PlacedRows): Float64Array {
  const { rows } = placed;
  const count = rows.length;
  if (count > 0 && rows.every((row, i) => row === rows[0] + i)) return values.subarray(rows[0], rows[0] + count);
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) out[i] = values[rows[i]];
  return out;
}

/**
 * The drawn part of the values between `min` and `max` on x: all of them if there is room, else minimum and maximum of
 * each of `buckets` columns, so that no spike is lost. Values that cannot be drawn are bridged.
 */
export function drawn(
  values: Float64Array,
  { x, stretch }: PlacedRows,
  range: { min: number; max: number },
  { buckets, log }: { buckets: number; log: boolean },
): PlottedLine {
  const line: PlottedLine = { x: [], y: [] };
  // One more on each side, so that the line leaves the picture.
  const from = Math.max(0, firstAtLeast(x, range.min) - 1);
  const to = Math.min(x.length, firstAtLeast(x, range.max) + 2);
  const width = to - from > 2 * buckets ? (range.max - range.min) / buckets : 0;
  let last = -1;
  const put = (i: number) => {
    if (last >= 0 && stretch[i] !== stretch[last] && line.x.length > 0) {
      line.x.push((x[last] + x[i]) / 2);
      line.y.push(null);
    }
    line.x.push(x[i]);
    line.y.push(values[i]);
    last = i;
  };
  let low = -1;
  let high = -1;
  const flush = () => {
    if (low < 0) return;
    put(Math.min(low, high));
    if (low !== high) put(Math.max(low, high));
    low = high = -1;
  };
  let bucket = Number.NaN;
  for (let i = from; i < to; i++) {
    const value = values[i];
    if (!drawable(value, log)) continue;
    if (width === 0) {
      put(i);
      continue;
    }
    const of = Math.floor((x[i] - range.min) / width);
    if (of !== bucket || (low >= 0 && stretch[i] !== stretch[low])) {
      flush();
      bucket = of;
    }
    if (low < 0) low = high = i;
    else if (value < values[low]) low = i;
    else if (value > values[high]) high = i;
  }
  flush();
  return line;
}

/**
 * Indices of values without a neighbour to draw a line to; null ends a line, undefined is a position where only other
 * lines have values.
 */
export function isolatedPoints(values: ArrayLike<number | null | undefined>): number[] {
  const alone: number[] = [];
  let first = -1;
  let length = 0;
  const end = () => {
    if (length === 1) alone.push(first);
    length = 0;
  };
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === undefined) continue;
    if (value === null) end();
    else if (length++ === 0) first = i;
  }
  end();
  return alone;
}
