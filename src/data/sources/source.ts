import type { UserError } from '../../errors';
import type { RowPlace } from '../rows';

/** A row of a file, or its error. */
export type SourceRow = { place: RowPlace; index: number } & (
  | { row: unknown; fault?: undefined; spot?: Spot }
  | { fault: UserError }
);

/** The place of a row in a file with random access: its number from 0, its line from 1, and its range of bytes. */
export interface Spot {
  index: number;
  line: number;
  start: number;
  end: number;
}

/** The rows of one file. */
export interface RowSource {
  /** Its columns, if the file lists them before the rows. */
  columns?: readonly string[];
  /** The split of its rows, if it has parts named by split. */
  split?: string;
  /** The number of rows, if the file gives it. */
  count?: number;
  /** Its rows from `from` (an index from 0) or earlier on, with at least the named columns. */
  rows(from: number, columns?: readonly string[]): Iterable<SourceRow>;
  /** Reads a row again. */
  again?(spot: Spot): { row: unknown; place: RowPlace };
}
