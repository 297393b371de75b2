/** A preview of a dataset read with some columns, for the form of a new experiment. Pure. */
import type { Columns, SettledColumns } from '../../data/columns';
import { readProblems } from '../../data/read';
import type { Problem } from '../../data/types';
import { UserError } from '../../errors';

export interface ColumnsLook {
  columns?: SettledColumns;
  first?: Problem;
  /** Why these columns cannot be used. */
  fault?: string;
}

/** The first row, read with the guessed and given columns. */
export function readFirstRow(file: string, told: Columns): ColumnsLook {
  try {
    const { columns, problems } = readProblems(file, 'rows', { columns: told, count: 1, skipBad: true });
    return { columns, first: problems.at(0) };
  } catch (error) {
    if (error instanceof UserError) return { fault: error.message };
    throw error;
  }
}

/** Number of rows in the preview. */
const previewRows = 5;

/** The first rows as read with these columns, for people. */
export function firstRowsText(file: string, told: Columns): string {
  try {
    const { problems } = readProblems(file, 'rows', { columns: told, count: previewRows, skipBad: true });
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
