import { firstIndex } from '../../src/sorted';

/**
 * Vertical positions of rows when only visible ones are laid out: measured heights where known, estimates elsewhere.
 * @tanstack/virtual-core would bring its own observers of scrolling and sizes, which the table does not need.
 */
export class Heights {
  private readonly heights: Float64Array;
  /** offsets[i]: top of row i; the last one is the height of all. Valid before `stale`. */
  private readonly offsets: Float64Array;
  private stale = 1;

  constructor(estimates: readonly number[]) {
    this.heights = Float64Array.from(estimates);
    this.offsets = new Float64Array(estimates.length + 1);
  }

  get count(): number {
    return this.heights.length;
  }

  /** Top of a row; of `count`, the height of all. */
  top(row: number): number {
    for (; this.stale <= row; this.stale++)
      this.offsets[this.stale] = this.offsets[this.stale - 1] + this.heights[this.stale - 1];
    return this.offsets[row];
  }

  get total(): number {
    return this.top(this.count);
  }

  /** Records a measured height. Returns whether it changes anything. */
  measured(row: number, height: number): boolean {
    if (Math.abs(this.heights[row] - height) < 0.5) return false;
    this.heights[row] = height;
    this.stale = Math.min(this.stale, row + 1);
    return true;
  }

  /** The row at this position; the first or last one beyond the ends. */
  rowAt(place: number): number {
    return Math.max(0, firstIndex(this.count, (row) => this.top(row) > place) - 1);
  }

  /**
   * Rows to lay out for a window of `size` at `from`: visible ones and a margin of `beyond` (in the same unit) on both
   * sides.
   */
  range(from: number, size: number, beyond: number): { first: number; end: number } {
    if (this.count === 0) return { first: 0, end: 0 };
    return { first: this.rowAt(from - beyond), end: this.rowAt(from + size + beyond) + 1 };
  }
}
