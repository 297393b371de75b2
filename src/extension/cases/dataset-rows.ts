/** Rows of a dataset's file by their lines, as the readers in src/data number them. */
import { basename } from 'node:path';

export interface DatasetRow {
  /** From 0. */
  line: number;
  problemId: string;
  /** The reference answer as the row has it; of GSM8K's rows behind "####". */
  answer?: string;
}

/**
 * Numbers the rows of a text and reads those of `lines` (from, to; both included). Lines that are no rows are left out.
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
    return undefined; // being typed just now; the readers say what is wrong when it is used
  }
}
