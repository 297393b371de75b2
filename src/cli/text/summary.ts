import { join } from 'node:path';
import type { Damage } from '../../lines';
import { comparisonText, oneSeedNote, unchangedText } from '../../report/comparison';
import type { StudentRow } from '../../results';
import { type Cell, resultsTable } from '../../results-table';
import { checkpointsFolder } from '../../runs/layout';
import { readStart, readSummary } from '../../runs/reading';
import type { Start } from '../../start';
import { baseFolder } from '../../student-files/folder';
import { holdsWeights } from '../../student-files/weights';
import { plural } from '../../words';
import { commandLine, quoted, shortPath } from '../inputs/places';
import { fitting, narrowed } from '../terminal/format';
import { pc } from '../terminal/terminal';

/**
 * The results of a run: its students on the test problems, and its last stage against the strongest baseline. Answers
 * that cannot be read are reported to `damage` and excluded from the comparison.
 */
export function resultsText(folder: string, damage: Damage = () => {}): string {
  const rows = readSummary(folder, damage);
  const compared = comparisonText(folder, rows, damage);
  const unchanged = unchangedText(folder, rows, damage);
  const few = fewProblemsText(rows);
  return [
    summaryTable(rows, { start: readStart(folder) }),
    ...(unchanged ? [unchanged] : []),
    ...(compared ? [`${compared}\n${pc.dim(oneSeedNote)}`] : []),
    ...(few ? [pc.dim(few)] : []),
  ].join('\n\n');
}

/** A note on tests with few problems, as in a quick run; undefined for others. */
export function fewProblemsText([row]: readonly StudentRow[]): string | undefined {
  if (!row || row.n >= 30) return undefined;
  return (
    `Tested on ${plural(row.n, 'problem')}, ${(100 / row.n).toFixed(0)} points each: ` +
    'enough to see that everything works, too few to see how good a student is.'
  );
}

/** The text after a run has ended, with the next commands; `minutes` is its duration, if known. */
export function endText(folder: string, minutes?: number): string {
  const time = minutes === undefined ? '' : ` (${minutes.toFixed(1)} min)`;
  const command = (name: string, path: string) => `  ${commandLine(`${name} ${quoted(shortPath(path))}`)}\n`;
  const checkpoint = readSummary(folder).at(-1)?.checkpoint;
  const student = checkpoint && join(checkpointsFolder(folder), checkpoint);
  return (
    `\n${resultsText(folder)}\n\nThe run is in ${shortPath(folder)}${time}.\n\n` +
    `Next, its curves and failures:\n${command('show', folder)}` +
    // A student of a server has its weights there.
    (student && holdsWeights(baseFolder(student)) ? `And its last student, to ask:\n${command('ask', student)}` : '')
  );
}

/**
 * Each student on the test problems, with the change in accuracy and tokens from the initial one. On a terminal,
 * columns that do not fit are omitted, those of the highest rank first.
 */
export function summaryTable(
  students: readonly StudentRow[],
  { start, room }: { start?: Start; room?: number } = {},
): string {
  const { headings, ranks, rows } = resultsTable(students, { start });
  const coloured = ({ text, better }: Cell) => (better === undefined ? text : (better ? pc.green : pc.red)(text));
  const tables = (mark: string) =>
    narrowed(
      { head: ['', ...headings.map((heading) => heading.toLowerCase())], ranks: [undefined, ...ranks] },
      rows.map(({ title, strongest, cells }) => [title + (strongest ? mark : ''), ...cells.map(coloured)]),
    );
  return fitting([tables(' (strongest baseline)')[0], ...tables('')], room);
}
