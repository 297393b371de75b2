/** Test results of groups of runs: means over the runs, and differences within a group and between groups. */
import { groupedBy } from '../grouped';
import {
  type AnswersByProblem,
  answersTo,
  byProblem,
  meanDifference,
  type PairedDifference,
  type ProblemAnswers,
} from '../runs/paired';
import { readEvaluation } from '../runs/reading';
import type { StageRow } from '../runs/records';
import { type StageName, stageNames, strongestBaseline } from '../stages';
import { type Start, studentTitle } from '../start';
import { mean, pairedInterval, wilsonInterval } from '../statistics';

export interface GroupedRun {
  id: string;
  /** Absolute. */
  folder: string;
  seed?: number;
}

/** Runs of an experiment that differ only in their seed. */
export interface RunGroup {
  /** A, B, ... in the order of their first runs. */
  label: string;
  /** Of the experiment. */
  name: string;
  /** The checkpoint that they began with. */
  start?: Start;
  runs: GroupedRun[];
}

/** A stage's students in the runs of a group. */
interface GroupStage {
  group: string;
  stage: StageName;
  title: string;
  runs: number;
}

export interface GroupResult extends GroupStage {
  accuracy: number;
  /** 95 %; over runs and problems, if there are several runs. */
  accuracyInterval: [number, number];
  meanTokens: number;
  strongestBaseline: boolean;
  /** From the student that each run began with. */
  fromBase?: PairedDifference;
  /** From the baseline that is the strongest by the means over the runs. */
  fromStrongest?: PairedDifference;
}

/** From the same stage's students in the group `from`. */
export interface GroupDifference extends GroupStage, PairedDifference {
  from: string;
  /** Of the group `from`; as many as `runs` where these are pairs. */
  runsFrom: number;
  /** One group has all seeds of the other: runs with the same seed are pairs. Otherwise all runs count, unpaired. */
  pairedBySeed: boolean;
}

/** All students that were tested on the same problems. */
export interface TestResults {
  problems: number;
  /** What lengths count, if not tokens. */
  unit?: 'words';
  results: GroupResult[];
  /** From the first group. */
  differences: GroupDifference[];
}

interface Student {
  group: RunGroup;
  run: GroupedRun;
  stage: StageName;
  answers: ProblemAnswers;
}
type Tested = Omit<Student, 'answers'> & { unit?: 'words'; answers: AnswersByProblem };

/** `summaries` has the rows of each run, by its folder. @throws UserError when an evaluation cannot be read */
export function testResults(
  groups: readonly RunGroup[],
  summaries: ReadonlyMap<string, readonly StageRow[]>,
): TestResults[] {
  const tested = groups.flatMap((group) =>
    group.runs.flatMap((run) =>
      (summaries.get(run.folder) ?? []).flatMap(({ stage, checkpoint, unit }): Tested[] => {
        const answers = byProblem(readEvaluation(run.folder, checkpoint ?? stage));
        return answers.size > 0 ? [{ group, run, stage, unit, answers }] : [];
      }),
    ),
  );
  return groupedBy(tested, ({ answers, unit }) => [unit, ...[...answers.keys()].sort()].join('\n')).map((alike) => {
    const problems = [...alike[0].answers.keys()];
    const students = alike.map(({ group, run, stage, answers }) => ({
      group,
      run,
      stage,
      answers: answersTo(problems, answers),
    }));
    return { problems: problems.length, unit: alike[0].unit, ...resultsOf(students) };
  });
}

function resultsOf(students: readonly Student[]): Pick<TestResults, 'results' | 'differences'> {
  const byGroup = groupedBy(students, ({ group }) => group.label);
  const means = byGroup.map((group) => groupedBy(group, ({ stage }) => stage).map(meansOf));
  const inOrder = <T extends GroupStage>(rows: readonly T[]) =>
    stageNames.flatMap((stage) => rows.filter((row) => row.stage === stage));
  return {
    results: inOrder(byGroup.flatMap((group, i) => means[i].map((row) => withDifferences(row, group, means[i])))),
    differences: inOrder(byGroup.slice(1).flatMap((group) => differencesFrom(byGroup[0], group))),
  };
}

const ofStage = (students: readonly Student[], stage: StageName | undefined) =>
  students.filter((student) => student.stage === stage);

const stageOf = (alike: readonly Student[]): GroupStage => {
  const [{ group, stage }] = alike;
  return { group: group.label, stage, title: studentTitle(stage, group.start), runs: alike.length };
};

function meansOf(alike: readonly Student[]) {
  const right = alike.map(({ answers }) => answers.right);
  const accuracy = mean(right.map(mean));
  // Runs with the same answers, such as those of a base student that they share, are one.
  const same = right.every((row) => row.join() === right[0].join());
  return {
    ...stageOf(alike),
    accuracy,
    accuracyInterval: same ? wilsonInterval(accuracy * right[0].length, right[0].length) : pairedInterval(right),
    meanTokens: mean(alike.map(({ answers }) => mean(answers.tokens))),
  };
}

type Means = ReturnType<typeof meansOf>;

function withDifferences(row: Means, group: readonly Student[], all: readonly Means[]): GroupResult {
  const strongest = strongestBaseline(all)?.stage;
  const from = (other: StageName | undefined): PairedDifference | undefined => {
    const pairs = ofStage(group, row.stage).flatMap((after) =>
      ofStage(group, other === row.stage ? undefined : other)
        .filter(({ run }) => run === after.run)
        .map((before) => ({ before: before.answers, after: after.answers })),
    );
    if (pairs.length === 0) return undefined;
    return meanDifference(
      pairs.map(({ before }) => before),
      pairs.map(({ after }) => after),
    );
  };
  return {
    ...row,
    strongestBaseline: row.stage === strongest,
    fromBase: from('base'),
    fromStrongest: row.stage === 'base' ? undefined : from(strongest),
  };
}

function differencesFrom(first: readonly Student[], group: readonly Student[]): GroupDifference[] {
  return groupedBy(group, ({ stage }) => stage).flatMap((after) => {
    const before = ofStage(first, after[0].stage);
    if (before.length === 0) return [];
    const pairs = after.flatMap((student) => {
      const { seed } = student.run;
      const partner = before.find(({ run }) => seed !== undefined && run.seed === seed);
      return partner ? [{ before: partner, after: student }] : [];
    });
    const pairedBySeed = pairs.length === Math.min(before.length, after.length);
    const [from, to] = pairedBySeed
      ? [pairs.map((pair) => pair.before), pairs.map((pair) => pair.after)]
      : [before, after];
    const answers = (students: readonly Student[]) => students.map((student) => student.answers);
    const difference = meanDifference(answers(from), answers(to), pairedBySeed);
    return [{ ...stageOf(to), from: from[0].group.label, runsFrom: from.length, pairedBySeed, ...difference }];
  });
}
