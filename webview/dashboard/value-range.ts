import { drawable, type PlottedLine } from './curve';

export interface ValueRange {
  min: number;
  max: number;
}

/** The kind of an axis: logarithmic, or starting at 0 if no value is below. */
export interface AxisStyle {
  log: boolean;
  fromZero: boolean;
}

/**
 * The y range that shows the smoothed lines well: all of them, and the raw values except the outermost percent at each
 * end. undefined: no data.
 */
export function valueRange(
  lines: readonly PlottedLine[],
  raw: readonly PlottedLine[],
  marks: readonly number[],
  log: boolean,
): ValueRange | undefined {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  const include = (value: number) => {
    if (!drawable(value, log)) return;
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

/**
 * The range with a margin. Values that differ by less than a billionth of their size count as equal: in a range as
 * narrow as the rounding error of its ends the next tick is the same number, and uPlot would create ticks until memory
 * is exhausted.
 */
export function padded(values: ValueRange | undefined, { log, fromZero }: AxisStyle): ValueRange {
  if (!values) return log ? { min: 0.1, max: 1 } : { min: 0, max: 1 };
  const { min, max } = values;
  if (log) return { min: min / 1.2, max: max * 1.2 };
  const size = Math.max(Math.abs(min), Math.abs(max));
  const pad = max - min > 1e-9 * size ? (max - min) * 0.08 : size * 0.1 || 0.1;
  if (fromZero && min >= 0) return { min: 0, max: max + pad };
  return { min: min - pad, max: max + pad };
}

/**
 * Ticks of a log axis: at most a dozen, at powers of ten, at 1, 2 and 5 of each if there are few, and at equal
 * distances if the range is less than one power. uPlot's own ticks do not terminate for values below 1e-31.
 */
export function logTicks({ min, max }: ValueRange): number[] {
  const [low, high] = [Math.ceil(Math.log10(min)), Math.floor(Math.log10(max))];
  const inside = (value: number) => value >= min && value <= max;
  if (max < 10 * min) {
    const power = 10 ** Math.floor(Math.log10((max - min) / 3));
    const step = [5, 2, 1].map((factor) => factor * power).find((one) => one <= (max - min) / 3)!;
    const first = Math.ceil(min / step);
    return Array.from({ length: 12 }, (_, i) => Number(((first + i) * step).toPrecision(12))).filter(inside);
  }
  const every = Math.max(1, Math.ceil((high - low + 1) / 6));
  const factors = high - low < 3 ? [1, 2, 5] : [1];
  const powers = Array.from({ length: high - low + 2 }, (_, i) => low - 1 + i).filter((power) => power % every === 0);
  return powers.flatMap((power) => factors.map((factor) => Number(`${factor}e${power}`))).filter(inside);
}

/** The zoomed part of the axis: at least a millionth of the whole, and inside it. */
export function zoomed({ min, max }: ValueRange, whole: number): ValueRange {
  const least = whole * 1e-6;
  const from = Math.min(Math.max(0, min), whole - least);
  return { min: from, max: Math.max(from + least, Math.min(whole, max)) };
}
