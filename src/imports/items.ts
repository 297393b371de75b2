/** The items of a source in order: completions, and metrics of an update. */
import type { RolloutColumns } from './columns';
import { loggedOf } from './columns';
import { inspectAnswers } from './inspect';
import type { LoggedCompletion } from './logged';
import { loggedRows } from './rows';
import type { RolloutFile, RolloutSource } from './sources';
import { trackioEntries } from './trackio';

export type ImportItem =
  | { kind: 'completion'; logged: LoggedCompletion; bytes?: number }
  | { kind: 'log'; step: number; metrics: Record<string, unknown> };

export interface ItemOptions {
  columns?: RolloutColumns;
  /** Called for an incomplete last line. */
  torn: (place: { line?: number }) => void;
}

/** Errors name file and row. */
export async function* itemsOf(
  { format, run }: RolloutSource,
  { file }: RolloutFile,
  { columns, torn }: ItemOptions,
): AsyncGenerator<ImportItem> {
  if (format === 'inspect') {
    for await (const logged of inspectAnswers(file)) yield { kind: 'completion', logged };
  } else if (format === 'trackio') {
    for (const { step, metrics, rows } of await trackioEntries(file, run!)) {
      if (Object.keys(metrics).length > 0) yield { kind: 'log', step, metrics };
      for (const [i, row] of rows.entries())
        yield { kind: 'completion', logged: { step, ...loggedOf(row, { file, row: i + 1 }, columns) } };
    }
  } else
    for (const { row, place, bytes } of loggedRows(file, torn))
      yield { kind: 'completion', logged: loggedOf(row, place, columns), bytes };
}
