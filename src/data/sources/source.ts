import type { UserError } from '../../errors';
import type { Place } from '../rows';

/** A row of a file as it stands there, or what is wrong with it. */
export type SourceRow = { place: Place; index: number } & (
  | { row: unknown; fault?: undefined; reread?: () => unknown }
  | { fault: UserError }
);

/** The rows of one file. */
export interface RowSource {
  /** Its columns, where the file says them before its rows. */
  columns?: readonly string[];
  /** The split that its rows are, where it has parts that are named by split. */
  split?: string;
  /** How many rows it has, where it says so. */
  count?: number;
  /**
   * Its rows from `from` (an index from 0) on or earlier, with at least the named columns. `reread` gives a row again,
   * of files that rows can be found in without reading those before.
   */
  rows(from: number, columns?: readonly string[]): Iterable<SourceRow>;
}
