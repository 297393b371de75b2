/** The results of a run as text, for every table that does not compare runs. The columns are those of results.ts. */
import { columns, type StudentDifference, type StudentRow } from './results';
import { strongestBaseline } from './stages';
import { comparisonHeading, type Start, studentTitle } from './start';
import { signed } from './words';

export interface Cell {
  text: string;
  /** For a difference: whether it is an improvement. */
  better?: boolean;
}

export interface ResultsTable {
  /** Headings of the columns after the student's. */
  headings: string[];
  /** Ranks of these columns: where space is short, those with the highest rank are dropped first. */
  ranks: (number | undefined)[];
  rows: { row: StudentRow; title: string; strongest: boolean; cells: Cell[] }[];
}

/** For imported answers without tokens, the heading names the unit. */
export const headingOf = ({ heading }: { heading: string }, rows: readonly StudentRow[]): string =>
  rows.some(({ unit }) => unit === 'words') ? heading.replace(/tokens/i, 'words') : heading;

/**
 * Every student with its figures. With `differences`, those from the initial student follow the last column that has
 * one.
 */
export function resultsTable(
  rows: readonly StudentRow[],
  { start, differences = true }: { start?: Start; differences?: boolean },
): ResultsTable {
  const base = rows.find(({ stage }) => stage === 'base');
  const strongest = strongestBaseline(rows);
  const compared = columns.flatMap(({ difference }) => (difference && differences ? [difference] : []));
  const before = columns.findLastIndex(({ difference }) => difference) + 1;
  const values = (row: StudentRow) => columns.map(({ text }): Cell => ({ text: text(row) }));
  const headings = columns.map((column) => headingOf(column, rows));
  const versus = compared.map(({ prefix }) => `${prefix}${comparisonHeading(start)}`);
  return {
    headings: headings.toSpliced(before, 0, ...versus),
    ranks: columns.map(({ rank }) => rank).toSpliced(before, 0, ...compared.map(({ rank }) => rank)),
    rows: rows.map((row) => ({
      row,
      title: studentTitle(row.stage, start),
      strongest: row === strongest,
      cells: values(row).toSpliced(before, 0, ...compared.map((one) => cellOf(one, row, base))),
    })),
  };
}

function cellOf({ of, change, unit, better }: StudentDifference, row: StudentRow, base: StudentRow | undefined): Cell {
  if (!base || row === base) return { text: '' };
  const value = change(row[of], base[of]);
  return { text: `${signed(value)} ${unit}`, better: value * better >= 0 };
}
