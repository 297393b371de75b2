import type { Damage } from '../lines';
import { comparisonText, oneSeed } from '../report/comparison';
import { readStart, readSummary } from '../runs/reading';
import type { StageRow } from '../runs/records';
import { strongestBaseline } from '../stages';
import { type Start, studentTitle, versusStart } from '../start';
import { clock, percent, signed, table } from './format';
import { commandLine, quoted, shown } from './places';
import { pc } from './terminal';

type Row = Omit<StageRow, 'seq'>;

/**
 * What a run ends with: its students on the test problems, and its last stage against the strongest baseline. Answers
 * that cannot be read are told to `damage`, and left out of the comparison.
 */
export function resultsText(folder: string, damage: Damage = () => {}): string {
  const rows = readSummary(folder);
  const compared = comparisonText(folder, rows, damage);
  return [summaryTable(rows, readStart(folder)), ...(compared ? [`${compared}\n${pc.dim(oneSeed)}`] : [])].join('\n\n');
}

/** What is told when a run has ended, and what to look at next; `minutes`: what it took, where that is known. */
export function endText(folder: string, minutes?: number): string {
  const time = minutes === undefined ? '' : ` (${minutes.toFixed(1)} min)`;
  const next = commandLine(`show ${quoted(shown(folder))}`);
  return (
    `\n${resultsText(folder)}\n\nThe run is in ${shown(folder)}${time}.\n\n` +
    `Next, its curves and failures:\n  ${next}\n`
  );
}

/** Each student on the test problems, with the change in accuracy and tokens from the one that the run began with. */
export function summaryTable(rows: readonly Row[], start?: Start): string {
  const base = rows.find((row) => row.stage === 'base');
  const strongest = strongestBaseline(rows);
  const versus = versusStart(start);
  const head = ['', 'accuracy', '95 % interval', 'cut off', 'mean tokens', versus, `tokens ${versus}`, 'training', 'n'];
  const body = rows.map((row) => {
    const points = base && row !== base ? 100 * (row.accuracy - base.accuracy) : null;
    const tokens = base && row !== base ? 100 * (row.meanTokens / base.meanTokens - 1) : null;
    const [low, high] = row.accuracyInterval;
    return [
      studentTitle(row.stage, start) + (row === strongest ? ' (strongest baseline)' : ''),
      percent(row.accuracy),
      `${(100 * low).toFixed(1)} – ${percent(high)}`,
      row.truncated === undefined ? '' : percent(row.truncated),
      row.meanTokens.toFixed(1),
      points === null ? '' : (points >= 0 ? pc.green : pc.red)(`${signed(points)} pt`),
      tokens === null ? '' : (tokens <= 0 ? pc.green : pc.red)(`${signed(tokens)} %`),
      row.wallSeconds > 0 ? clock(row.wallSeconds) : '',
      String(row.n),
    ];
  });
  return table(head, body);
}
