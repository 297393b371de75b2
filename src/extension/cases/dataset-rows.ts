/** Maps the rows of a dataset file to lines, with the numbering of the readers in src/data. */
import { basename } from 'node:path';

export interface DatasetRow {
  /** Counted from 0. */
  line: number;
  problemId: string;
  /** The reference answer of the row; for GSM8K, the text after "####". */
  answer?: string;
}

/**
 * Numbers the rows of a text and reads those on `lines` (from, to; both inclusive). Lines that are not rows are
 * skipped.
 */
export function datasetRows(file: string, lines: readonly string[], from: number, to: number): DatasetRow[] {
  const name = basename(file).replace(/\.[^.]*$/, '');
  const rows: DatasetRow[] = [];
  let index = 0;
  for (const [line, text] of lines.entries()) {
    if (line > to) break;
    if (text.trim() === '') continue;
    if (line >= from) {
      const row = parse(text);
      if (row?.id !== undefined) rows.push({ line, problemId: String(row.id).trim(), answer: textOf(row.answer) });
      else if (row) {
        const answer = /####[ \t]*([^\n]+)$/.exec(String(row.answer))?.[1];
        rows.push({ line, problemId: `${name}-${index}`, ...(answer !== undefined && { answer }) });
      }
    }
    index++;
  }
  return rows;
}

const textOf = (value: unknown) => (value === undefined ? undefined : String(value));

function parse(text: string): { id?: unknown; question?: unknown; answer?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // probably half-typed; the readers report errors when the file is used
  }
}
