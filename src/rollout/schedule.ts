/** Which completions are in flight, and in which slots of the cache. */

import type { Draft } from '../engine-data/sampling';

/** Where a draft lives while it is in flight. */
export interface BatchRow {
  draft: Draft;
  promptLength: number;
  /** Its slot of the cache; -1 while it waits. */
  slot: number;
}

/** Rows of one prompt that enter together, so that the prompt is computed once for all. */
export interface Group {
  prompt: readonly number[];
  rows: BatchRow[];
}

/** All completions to sample: `size` for each prompt, in groups that fit into `maxRows` slots. */
export function groupsOf(prompts: readonly (readonly number[])[], size: number, maxRows: number): Group[] {
  return prompts.flatMap((prompt, index) => {
    const rows = Array.from(
      { length: size },
      (_, completion): BatchRow => ({
        draft: { prompt: index, completion, tokens: [], logProbs: [], finished: false },
        promptLength: prompt.length,
        slot: -1,
      }),
    );
    const parts = Array.from({ length: Math.ceil(size / maxRows) }, (_, i) =>
      rows.slice(i * maxRows, (i + 1) * maxRows),
    );
    return parts.map((part): Group => ({ prompt, rows: part }));
  });
}

/** The slots of a cache that are free. */
export class Slots {
  private readonly unused: number[];

  constructor(readonly count: number) {
    this.unused = Array.from({ length: count }, (_, slot) => count - 1 - slot);
  }

  /** Gives every row of the group a slot, or none when there are not enough. */
  take({ rows }: Group): boolean {
    if (rows.length > this.unused.length) return false;
    for (const row of rows) row.slot = this.unused.pop()!;
    return true;
  }

  free(row: BatchRow): void {
    this.unused.push(row.slot);
    row.slot = -1;
  }
}
