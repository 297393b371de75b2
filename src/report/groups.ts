/** Groups of runs: the runs of an experiment that differ only in their seed. */
import { basename } from 'node:path';
import { groupedBy } from '../grouped';
import { sizeOf } from '../paths';
import { differingSettings, type SettingDifference } from '../runs/differences';
import { readExperiment } from '../runs/experiment';
import { evaluationFile } from '../runs/layout';
import { type Run, readConfig, readSummary, stateOf } from '../runs/reading';
import type { StageRow } from '../runs/records';
import { stageTitles } from '../stages';
import { startOf } from '../start';
import { type RunGroup, type TestResults, testResults } from './group-results';

export interface ComparedRuns {
  groups: RunGroup[];
  /** Settings that differ between the groups, with the value of each. */
  settings: SettingDifference[];
  /** One for each set of test problems. */
  tests: TestResults[];
  /** Runs that do not count, or some of whose students do not, and why. */
  leftOut: { id: string; reason: string }[];
}

interface Candidate {
  run: Run;
  rows: StageRow[];
  seed?: number;
  /** All that results depend on, except for the seed. */
  settings: unknown;
}

/** Groups the finished runs and compares their students. @throws UserError when a run cannot be read */
export function compareRuns(runs: readonly Run[]): ComparedRuns {
  const leftOut: ComparedRuns['leftOut'] = [];
  const leave = ({ folder }: Run, reason: string) => leftOut.push({ id: basename(folder), reason });
  const candidates = runs.flatMap((run) => {
    const state = stateOf(run);
    const all = state === 'finished' ? readSummary(run.folder) : [];
    const rows = all.filter(({ stage, checkpoint }) => sizeOf(evaluationFile(run.folder, checkpoint ?? stage)) > 0);
    if (state !== 'finished') leave(run, `not finished (${state})`);
    else if (all.length === 0) leave(run, 'no test results');
    else if (rows.length === 0) leave(run, 'no answers to the test problems');
    else if (rows.length < all.length) leave(run, withoutAnswers(all.filter((row) => !rows.includes(row))));
    return rows.length > 0 ? [candidateOf(run, rows)] : [];
  });
  const created = ({ run }: Candidate) => run.record.created;
  const ofSeeds = (group: readonly Candidate[]) =>
    groupedBy(group, ({ seed }) => String(seed)).map((twins) => {
      const [newest, ...others] = twins.toSorted(
        (a, b) => Number(created(a) < created(b)) - Number(created(a) > created(b)),
      );
      for (const { run } of others)
        leave(run, `same settings and seed as ${basename(newest.run.folder)}, which counts`);
      return newest;
    });
  // In the order of seeds, so that the draws of a bootstrap do not depend on the order of the runs.
  const kept = bySettings(candidates).map((group) => ofSeeds(group).toSorted((a, b) => (a.seed ?? 0) - (b.seed ?? 0)));
  const groups = kept.map(groupOf);
  return {
    groups,
    settings: groups.length > 1 ? settingsOf(kept.map(([{ settings }]) => settings)) : [],
    tests: testResults(groups, new Map(candidates.map(({ run, rows }) => [run.folder, rows]))),
    leftOut,
  };
}

const withoutAnswers = (rows: readonly StageRow[]) =>
  `no answers of ${rows.map(({ stage }) => stageTitles[stage]).join(' and ')}`;

/** Other rows are named by their hashes only if no setting of the data says so. */
function settingsOf(settings: readonly unknown[]): SettingDifference[] {
  const all = differingSettings(settings);
  return all.some(({ path }) => path.startsWith('data.'))
    ? all.filter(({ path }) => !path.startsWith('environment.datasets'))
    : all;
}

function candidateOf(run: Run, rows: StageRow[]): Candidate {
  const recorded = readExperiment(run.folder);
  const config = readConfig(run.folder) as { environment?: { datasets?: unknown; rewardModules?: unknown } };
  // Nothing says what imported runs have in common.
  if (!recorded) return { run, rows, settings: { run: basename(run.folder), config } };
  const { name: _, description: __, seed, ...experiment } = recorded.experiment;
  const { datasets, rewardModules } = config.environment ?? {};
  return { run, rows, seed, settings: { experiment, environment: { datasets, rewardModules } } };
}

function bySettings(candidates: readonly Candidate[]): Candidate[][] {
  const groups: Candidate[][] = [];
  for (const candidate of candidates) {
    const group = groups.find(([{ settings }]) => differingSettings([settings, candidate.settings]).length === 0);
    if (group) group.push(candidate);
    else groups.push([candidate]);
  }
  return groups;
}

const groupOf = (group: readonly Candidate[], i: number): RunGroup => ({
  label: labelOf(i),
  name: group[0].run.record.name,
  start: startOf(group[0].settings),
  runs: group.map(({ run, seed }) => ({ id: basename(run.folder), folder: run.folder, seed })),
});

/** A to Z, then A2 to Z2, ... */
const labelOf = (i: number) => String.fromCharCode(65 + (i % 26)) + (i < 26 ? '' : String(Math.floor(i / 26) + 1));
