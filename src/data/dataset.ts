import type { DataSource } from '../config/experiment';
import type { BadRows } from './bad-rows';
import type { SettledColumns } from './columns';
import type { Split } from './files';
import type { Problems } from './problems';

/** Problems with their provenance. */
export interface Dataset {
  format: DataSource['format'];
  problems: Problems;
  /**
   * sha256, in hex, of the file's bytes (of several files, of their hashes); of the rendered problems where they were
   * generated.
   */
  readonly hash: string;
  /** Absolute, a file, folder or pattern; absent where the problems were generated. */
  file?: string;
  /** Which column holds what; absent where the format says so. */
  columns?: SettledColumns;
  /** Which part of the file it is, where its parts are named by split. */
  split?: Split;
  /** Rows that cannot be used and were left out. */
  bad?: BadRows;
}
