/** The line of each problem of a dataset, with the row numbering of the readers in src/data. Pure. */
import { parseTree } from 'jsonc-parser';
import type { DataSource } from '../../config/experiment';

/** The line (from 0) of each row of a text, beginning with the source's first row. */
export function rowLines({ format, start }: DataSource, text: string): number[] {
  const rows = format === 'bridge' || text.trimStart().startsWith('[') ? arrayLines(text) : filledLines(text);
  return rows.slice(start);
}

function filledLines(text: string): number[] {
  return text.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [i]));
}

/** Lines on which the items of a JSON array begin. */
function arrayLines(text: string): number[] {
  let line = 0;
  let at = 0;
  return (parseTree(text)?.children ?? []).map(({ offset }) => {
    for (; at < offset; at++) if (text.charCodeAt(at) === 10) line++;
    return line;
  });
}
