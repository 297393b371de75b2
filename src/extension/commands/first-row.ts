/** A preview of a dataset read with some columns, for the form of a new experiment. Pure. */
import { choicesOf } from '../../data/choices';
import type { Columns, SettledColumns } from '../../data/columns';
import { peek, readProblems } from '../../data/read';
import type { Problem } from '../../data/types';
import { UserError } from '../../errors';

export interface ColumnsLook {
  columns?: SettledColumns;
  first?: Problem;
  /** The choices of the first row, in one line. */
  choices?: string;
  /** Why these columns cannot be used. */
  fault?: string;
}

/** The first row, read with the guessed and given columns. */
export function readFirstRow(file: string, given: Columns): ColumnsLook {
  try {
    const { columns, problems } = readProblems(file, 'rows', { columns: given, count: 1, skipBad: true });
    const look: ColumnsLook = { columns, first: problems.at(0) };
    if (columns?.choices !== undefined) look.choices = choicesText(file, columns.choices);
    return look;
  } catch (error) {
    if (error instanceof UserError) return { fault: error.message };
    throw error;
  }
}

const choicesText = (file: string, columns: string | string[]) =>
  choicesOf(peek(file).rows[0], columns)
    .map(({ letter, text }) => `(${letter}) ${text}`)
    .join(' ');

/** Number of rows in the preview. */
const previewRows = 5;

/** The first rows as read with these columns, for people. */
export function firstRowsText(file: string, given: Columns): string {
  try {
    const { problems } = readProblems(file, 'rows', { columns: given, count: previewRows, skipBad: true });
    const texts = problems.map(({ id, question, answer, chain }) =>
      [`# ${id}`, `## question\n${question}`, `## answer\n${answer}`, ...(chain ? [`## chain\n${chain}`] : [])].join(
        '\n\n',
      ),
    );
    return `${texts.join('\n\n')}\n`;
  } catch (error) {
    if (error instanceof UserError) return error.toString();
    throw error;
  }
}

/** In the format of `--columns`. */
export const optionOf = (columns: SettledColumns) =>
  Object.entries(columns)
    .map(([role, name]) => `${role}=${[name].flat().join('+')}`)
    .join(',');
