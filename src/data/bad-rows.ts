/** Collects unusable rows of a dataset, so that one run reports all of them. */
import { UserError } from '../errors';
import type { RowPlace } from './rows';

export interface BadRows {
  count: number;
  /** Rows that were read. */
  rows: number;
  /** The first few of them. */
  first: { place: RowPlace; error: UserError }[];
}

/** Number of listed rows. */
export const listedBadRows = 5;

/** "line 3: the row has no "answer"; line 8: ...; and 4 more", for people. */
export function badRowsText({ count, first }: BadRows, between = '; '): string {
  const listed = first.map(({ place, error }) => `${placeText(place)}: ${error.message}`);
  return [...listed, ...(count > first.length ? [`and ${count - first.length} more`] : [])].join(between);
}

/** "line 3", or "row 3" for formats without lines. */
export const placeText = ({ line, row }: RowPlace) => (row !== undefined ? `row ${row}` : `line ${line}`);

/** Thrown unless such rows may be skipped. */
export function badRowsError(bad: BadRows): UserError {
  const [{ place, error }] = bad.first;
  const { column, cause } = error;
  const remedies = new Set(bad.first.map(({ error: { remedy } }) => remedy));
  const remedy = remedies.size > 1 ? 'Fix or remove these rows.' : error.remedy;
  const advice = bad.count < bad.rows ? 'Or skip such rows: "skipBad": true, --skip-bad.' : '';
  const message =
    bad.count === 1
      ? `${place.row === undefined ? '' : `${placeText(place)}: `}${error.message}`
      : `${bad.count} of ${bad.rows} rows cannot be used: ${badRowsText(bad)}`;
  return new UserError(message, {
    file: place.file,
    line: place.line,
    column,
    code: 'dataset',
    remedy: [remedy, advice].filter(Boolean).join(' '),
    cause,
  });
}
