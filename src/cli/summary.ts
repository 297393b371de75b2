import type { Damage } from '../lines';
import { pairedDifference } from '../runs/paired';
import { readEvaluation, readStart, readSummary } from '../runs/reading';
import type { EvaluationRecord, StageRow } from '../runs/records';
import { stageTitles, strongestBaseline, trainedStages } from '../stages';
import { type Start, studentTitle, versusStart } from '../start';
import { clock, percent, signed, table } from './format';
import { pc } from './terminal';

type Row = Omit<StageRow, 'seq'>;

/**
 * What a run ends with: its students on the test problems, and its last stage against the strongest baseline. Answers that cannot be read are
 * told to `damage`, and left out of the comparison.
 */
export function resultsText(folder: string, damage: Damage = () => {}): string {
  const rows = readSummary(folder);
  const [last] = trainedStages.toReversed().flatMap((stage) => rows.find((row) => row.stage === stage) ?? []);
  const strongest = strongestBaseline(rows);
  const compared =
    last &&
    strongest &&
    comparison(strongest, last, ({ stage, checkpoint }) => readEvaluation(folder, checkpoint ?? stage, damage));
  return [summaryTable(rows, readStart(folder)), ...(compared ? [compared] : [])].join('\n\n');
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

/** The last stage's student against the strongest baseline on the same problems; undefined where they have none in common. */
function comparison(baseline: Row, last: Row, answers: (row: Row) => EvaluationRecord[]): string | undefined {
  const difference = pairedDifference(answers(baseline), answers(last));
  if (!difference) return undefined;
  const { n, accuracy, accuracyInterval, tokens } = difference;
  const [low, high] = accuracyInterval.map((end) => signed(100 * end));
  const open = accuracyInterval[0] <= 0 && accuracyInterval[1] >= 0;
  const length = `${Math.abs(tokens).toFixed(1)} tokens ${tokens > 0 ? 'longer' : 'shorter'}`;
  return [
    `${stageTitles[last.stage]} against the strongest baseline, ${stageTitles[baseline.stage]}: ${signed(100 * accuracy)} points`,
    ` (95 % interval ${low} to ${high} over ${n} problems${open ? ', so they may be equally right' : ''}), answers ${length}.\n`,
    pc.dim('One seed: the interval does not say what other seeds would give.'),
  ].join('');
}
