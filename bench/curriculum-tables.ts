/** Tables of the curriculum benchmark, and the same numbers as data. */
import { markdownTable, percent } from '../src/cli/terminal/format';
import { fewRunsNote } from '../src/report/comparison';
import { meanDifference } from '../src/runs/paired';
import {
  type StageName,
  shortStageTitles,
  stageNames,
  stageTitles,
  strongestBaseline,
  trainedStages,
} from '../src/stages';
import { deviation, mean } from '../src/statistics';
import { signed } from '../src/words';
import type { Outcomes, Pretraining, StageOutcome } from './curriculum-runs';

export interface StageDifference {
  against: StageName;
  /** Percentage points, with their 95 % interval over runs and problems. */
  points: number;
  pointsInterval: [number, number];
  /** Percent of the other student's mean tokens. */
  tokens: number;
}

export interface StageResult {
  stage: StageName;
  /** A value for each run. */
  accuracy: number[];
  meanTokens: number[];
  truncated: number[];
  seconds: number[];
  differences: StageDifference[];
}

export interface StudentResult {
  student: string;
  pretraining: Pretraining;
  strongest?: StageName;
  stages: StageResult[];
}

const of = (stage: StageName, runs: readonly Outcomes[]) => runs.flatMap((run) => run.get(stage) ?? []);

/** The last stage of the curriculum that the runs have. */
export const lastStage = (runs: readonly Outcomes[]) =>
  trainedStages.toReversed().find((stage) => runs.every((run) => run.has(stage)));

/** `strongest` is the baseline with the highest mean accuracy over the runs. */
export function resultOf(student: string, pretraining: Pretraining, runs: readonly Outcomes[]): StudentResult {
  const there = stageNames.filter((stage) => of(stage, runs).length > 0);
  const means = there.map((stage) => {
    const outcomes = of(stage, runs);
    return {
      stage,
      accuracy: mean(outcomes.map(({ accuracy }) => accuracy)),
      meanTokens: mean(outcomes.map(({ meanTokens }) => meanTokens)),
    };
  });
  const strongest = strongestBaseline(means)?.stage;
  return {
    student,
    pretraining,
    strongest,
    stages: there.map((stage) => ({
      ...stageResult(stage, of(stage, runs)),
      differences:
        stage === 'base' ? [] : comparedWith(strongest).flatMap((other) => differenceOf(stage, other, runs) ?? []),
    })),
  };
}

const stageResult = (stage: StageName, outcomes: readonly StageOutcome[]) => ({
  stage,
  accuracy: outcomes.map(({ accuracy }) => accuracy),
  meanTokens: outcomes.map(({ meanTokens }) => meanTokens),
  truncated: outcomes.map(({ truncated }) => truncated),
  seconds: outcomes.map(({ seconds }) => seconds),
});

/** Paired difference over the runs that have both; all students of a run were tested on the same problems. */
export function differenceOf(
  stage: StageName,
  against: StageName,
  runs: readonly Outcomes[],
  baselines: readonly Outcomes[] = runs,
): StageDifference | undefined {
  const pairs = runs.flatMap((run, i) => {
    const [after, before] = [run.get(stage), baselines[i]?.get(against)];
    return after && before && after !== before ? [{ after, before }] : [];
  });
  if (pairs.length === 0) return undefined;
  const [before, after] = [pairs.map((pair) => pair.before), pairs.map((pair) => pair.after)];
  const { accuracy, accuracyInterval } = meanDifference(before, after);
  const tokens = (students: readonly StageOutcome[]) => mean(students.map(({ meanTokens }) => meanTokens));
  return {
    against,
    points: 100 * accuracy,
    pointsInterval: [100 * accuracyInterval[0], 100 * accuracyInterval[1]],
    tokens: 100 * (tokens(after) / tokens(before) - 1),
  };
}

/**
 * Averages a base student's runs over its seeds, problem by problem, for comparisons of several base students.
 */
export function averaged(runs: readonly Outcomes[]): Outcomes {
  return new Map(
    stageNames.flatMap((stage) => {
      const outcomes = of(stage, runs);
      if (outcomes.length !== runs.length) return [];
      const over = (value: (outcome: StageOutcome) => number) => mean(outcomes.map(value));
      const byProblem = (values: (outcome: StageOutcome) => number[]) =>
        values(outcomes[0]).map((_, i) => over((outcome) => values(outcome)[i]));
      const outcome: StageOutcome = {
        accuracy: over(({ accuracy }) => accuracy),
        meanTokens: over(({ meanTokens }) => meanTokens),
        truncated: over(({ truncated }) => truncated),
        seconds: over(({ seconds }) => seconds),
        right: byProblem(({ right }) => right),
        tokens: byProblem(({ tokens }) => tokens),
      };
      return [[stage, outcome]];
    }),
  );
}

const differenceText = (difference: StageDifference | undefined) =>
  difference
    ? `${signed(difference.points)} ` +
      `(${difference.pointsInterval.map((end) => signed(end)).join(' .. ')}), ` +
      `${signed(difference.tokens)} %`
    : '';

/** `90.2 % ± 1.0`; a single run has no spread. */
const spread = (values: readonly number[], write: (value: number) => string, scale = 1) =>
  values.length > 1 ? `${write(mean(values))} ± ${(scale * deviation(values)).toFixed(1)}` : write(mean(values));

const comparedWith = (strongest: StageName | undefined): StageName[] => [
  ...new Set<StageName>(['base', 'sft', ...(strongest ? [strongest] : [])]),
];

/** A row for each baseline and stage. Differences are points with their interval, and percent of tokens. */
export function studentTable({ strongest, stages }: StudentResult): string {
  const others = comparedWith(strongest).filter((other) => stages.some(({ stage }) => stage === other));
  const mark = (stage: StageName) => (stage === strongest ? ' (strongest baseline)' : '');
  return markdownTable(
    [
      'student',
      'accuracy',
      'tokens',
      'cut off',
      ...others.map((other) => comparisonTitle(other) + mark(other)),
      'time',
    ],
    stages.map((result) => [stageTitles[result.stage] + mark(result.stage), ...cellsOf(result, others)]),
  );
}

const comparisonTitle = (stage: StageName) => `vs ${stage === 'base' ? 'base' : shortStageTitles[stage]}`;

export function cellsOf(result: StageResult, others: readonly StageName[]): string[] {
  const { accuracy, meanTokens, truncated, seconds, differences } = result;
  return [
    spread(accuracy, percent, 100),
    spread(meanTokens, (value) => value.toFixed(1)),
    percent(mean(truncated)),
    ...others.map((other) => differenceText(differences.find(({ against }) => against === other))),
    mean(seconds) > 0 ? `${Math.round(median(seconds))} s` : '',
  ];
}

/** The median time: another program may have slowed down one seed. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return mean(sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1));
}

/** The curriculum's gain on each base student, ordered by the share of concise text in its pretraining. */
export function gainTable(results: readonly StudentResult[]): string {
  const share = ({ pretraining }: StudentResult) => pretraining.concise ?? Number.NaN;
  const sorted = results.toSorted((a, b) => share(a) - share(b));
  return markdownTable(
    [
      'concise text',
      'base student',
      'base',
      'strongest baseline',
      'curriculum',
      'gain vs base',
      'gain vs strongest baseline',
    ],
    sorted.map((result) => {
      const { pretraining, student, stages, strongest } = result;
      const at = (stage: StageName | undefined) => stages.find((one) => one.stage === stage);
      const reached = (stage: StageName | undefined) => {
        const one = at(stage);
        return one ? `${percent(mean(one.accuracy))}, ${mean(one.meanTokens).toFixed(1)} tokens` : '';
      };
      const last = trainedStages.toReversed().find(at);
      const against = (other: StageName | undefined) =>
        differenceText(at(last)?.differences.find((one) => one.against === other));
      return [
        pretraining.concise === undefined ? 'unknown' : percent(pretraining.concise, 0),
        student + (pretraining.seed === undefined ? '' : ` (pretraining seed ${pretraining.seed})`),
        reached('base'),
        strongest ? `${stageTitles[strongest]}: ${reached(strongest)}` : '',
        reached(last),
        against('base'),
        against(strongest),
      ];
    }),
  );
}

/** Explains the intervals above. */
export function intervalNote(runs: number, what: 'seed' | 'base student'): string {
  const over =
    `Mean ± standard deviation over ${what}s. Differences: points with their 95 % interval (paired ` +
    `bootstrap over ${what}s and problems, docs/baselines.md), and percent of tokens.`;
  return [over, fewRunsNote(runs, what)].filter(Boolean).join(' ');
}

/** The last stage of each control, compared with the base student and plain SFT of the full curriculum's runs. */
export function controlTable(controlled: readonly [string, readonly Outcomes[]][], runs: readonly Outcomes[]): string {
  const others: StageName[] = ['base', 'sft'];
  return markdownTable(
    ['student', 'accuracy', 'tokens', 'cut off', ...others.map(comparisonTitle), 'time'],
    controlled.flatMap(([name, outcomes]) => {
      const stage = lastStage(outcomes);
      if (!stage) return [];
      const differences = others.flatMap((other) => differenceOf(stage, other, outcomes, runs) ?? []);
      return [[name, ...cellsOf({ ...stageResult(stage, of(stage, outcomes)), differences }, others)]];
    }),
  );
}
