import type { DataSource } from '../config/experiment';
import type { BadRows } from './bad-rows';
import type { SettledColumns } from './columns';
import type { Split } from './files';
import type { Problems } from './problems';

/** Problems with their origin. */
export interface Dataset {
  format: DataSource['format'];
  problems: Problems;
  /**
   * sha256 in hex of the file (of several files, of their hashes); for generated problems, of the rendered problems.
   */
  readonly hash: string;
  /** Absolute path of a file, folder or pattern; absent for generated problems. */
  file?: string;
  /** The roles of columns; absent if the format defines them. */
  columns?: SettledColumns;
  /** The part of the file, if its parts are named by split. */
  split?: Split;
  /** Unusable rows that were skipped. */
  bad?: BadRows;
}
