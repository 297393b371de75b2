import { firstAtLeast, type Placed } from './axis';

/** Points of a drawn line; null ends one stretch before the next. */
export interface Line {
  x: number[];
  y: (number | null)[];
}

/**
 * An exponential moving average without the pull towards 0 at its beginning (Kingma & Ba 2015, section 3), begun anew in each stretch.
 * `weight` in [0, 1) is how much of the past is kept from one of a thousand updates to the next, so that a curve looks equally smooth however
 * long the run; values that are not finite are passed over. One value a placed row.
 */
export function smoothed(values: Float64Array, placed: Placed, weight: number): Float64Array {
  const out = new Float64Array(placed.rows.length);
  const keep = weight ** Math.min(1, 1000 / out.length);
  let sum = 0;
  let norm = 0;
  for (let i = 0; i < out.length; i++) {
    if (i === 0 || placed.stretch[i] !== placed.stretch[i - 1]) sum = norm = 0;
    const value = values[placed.rows[i]];
    if (Number.isFinite(value)) {
      sum = keep * sum + (1 - keep) * value;
      norm = keep * norm + (1 - keep);
      out[i] = sum / norm;
    } else out[i] = Number.NaN;
  }
  return out;
}

/** The column's values at the placed rows; not a copy where that can be. */
export function plain(values: Float64Array, placed: Placed): Float64Array {
  const { rows } = placed;
  const count = rows.length;
  if (count > 0 && rows[count - 1] - rows[0] === count - 1) return values.subarray(rows[0], rows[0] + count);
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) out[i] = values[rows[i]];
  return out;
}

/**
 * What is drawn of the values between `min` and `max` on x: all of it where there is room, else the least and the greatest value of each
 * of `buckets` columns, so that no spike is lost. Values that are not finite are bridged; on a log axis so are those that have no log.
 */
export function drawn(
  values: Float64Array,
  { x, stretch }: Placed,
  range: { min: number; max: number },
  buckets: number,
  log: boolean,
): Line {
  const line: Line = { x: [], y: [] };
  // One more on each side: the line runs out of the picture.
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
    if (!Number.isFinite(value) || (log && value <= 0)) continue;
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
 * The y range that shows the smoothed lines well: all of them, and of the raw values all but the outermost hundredth at each end. undefined: there is
 * nothing to show.
 */
export function valueRange(lines: readonly Line[], raw: readonly Line[], marks: readonly number[], log: boolean) {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  const include = (value: number) => {
    if (log && value <= 0) return;
    if (value < min) min = value;
    if (value > max) max = value;
  };
  for (const { y } of lines) for (const value of y) if (value !== null) include(value);
  for (const value of marks) include(value);
  for (const { y } of raw) {
    const sorted = y.filter((value): value is number => value !== null).sort((a, b) => a - b);
    if (sorted.length === 0) continue;
    const cut = Math.floor(sorted.length / 100);
    include(sorted[cut]);
    include(sorted[sorted.length - 1 - cut]);
  }
  return min <= max ? { min, max } : undefined;
}
