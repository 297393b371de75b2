/** The result of a run in sentences. */
import type { Damage } from '../lines';
import { pairedDifference } from '../runs/paired';
import { readEvaluation, readValidation } from '../runs/reading';
import type { StageRow, ValidationRecord } from '../runs/records';
import { type StageName, stageTitles, strongestBaseline, trainedStages } from '../stages';
import { enoughRuns } from '../statistics';
import { signed } from '../words';

/** What an interval over few runs leaves out; undefined for enough of them. A run is a seed, or a base student. */
export function fewRunsNote(runs: number, what: 'seed' | 'base student' = 'seed'): string | undefined {
  if (runs === 1) return `One ${what}: the interval does not cover variation between ${what}s.`;
  if (runs >= enoughRuns) return undefined;
  return `${runs} ${what}s are fewer than ${enoughRuns}: where ${what}s differ much, the intervals are too narrow.`;
}

/** A note on the result of a run. */
export const oneSeedNote = fewRunsNote(1)!;

/**
 * The last stage's student against the strongest baseline on the same problems; undefined if one of them is missing, or
 * they have no problems in common. Unreadable answers are reported to `damage` and skipped; without it they are errors.
 */
export function comparisonText(folder: string, rows: readonly StageRow[], damage?: Damage): string | undefined {
  const [last] = trainedStages.toReversed().flatMap((stage) => rows.find((row) => row.stage === stage) ?? []);
  const baseline = strongestBaseline(rows);
  if (!last || !baseline) return undefined;
  const answers = ({ stage, checkpoint }: StageRow) => readEvaluation(folder, checkpoint ?? stage, damage);
  const difference = pairedDifference(answers(baseline), answers(last));
  if (!difference) return undefined;
  const { n, accuracy, accuracyInterval, tokens } = difference;
  const [low, high] = accuracyInterval.map((end) => signed(100 * end));
  const open = accuracyInterval[0] <= 0 && accuracyInterval[1] >= 0;
  return [
    `${stageTitles[last.stage]} against the strongest baseline, ` +
      `${stageTitles[baseline.stage]}: ${signed(100 * accuracy)} points`,
    ` (95 % interval ${low} to ${high} over ${n} problems${open ? ', so they may be equally right' : ''}),`,
    ` answers ${Math.abs(tokens).toFixed(1)} tokens ${tokens > 0 ? 'longer' : 'shorter'}.`,
  ].join('');
}

/**
 * The stages that left the student as it was, since no later checkpoint did better on the validation rows: their rows
 * repeat the one above.
 */
export function unchangedStages(rows: readonly StageRow[], validation: readonly ValidationRecord[]): StageName[] {
  const stages = rows.filter(({ stage }) => stage === 'base' || (trainedStages as StageName[]).includes(stage));
  // A phase validates the student as it comes first, except for that of the rewriter.
  const asItCame = new Set(
    validation
      .filter(({ phase }, i, all) => phase !== 'rewrite' && all[i - 1]?.phase !== phase)
      .map(({ stage, step }) => `${stage}-${step}`),
  );
  const repeats = (row: StageRow, before: StageRow) =>
    row.accuracy === before.accuracy && row.meanTokens === before.meanTokens && row.n === before.n;
  return stages
    .filter((row, i) => i > 0 && row.checkpoint && asItCame.has(row.checkpoint) && repeats(row, stages[i - 1]))
    .map(({ stage }) => stage);
}

/** Names these stages; undefined if there are none. */
export function unchangedText(folder: string, rows: readonly StageRow[], damage?: Damage): string | undefined {
  const unchanged = unchangedStages(rows, readValidation(folder, damage));
  if (unchanged.length === 0) return undefined;
  const titles = unchanged.map((stage) => stageTitles[stage]).join(' and ');
  return `${titles} left the student as it was: no later checkpoint did better on the validation rows.`;
}
