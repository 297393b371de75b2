import { groupedBy } from '../grouped';
import { deviation, largest, mean, smallest } from '../statistics';
import { promptOf, type RecordedCompletion, type Rescored } from './dry-run';

/** The distribution of a reward over completions; `applies` is the share that it scores. */
export interface RewardDistribution {
  applies: number;
  mean: number;
  std: number;
  min: number;
  max: number;
}

/** The overall effect of a new reward. Shares are 0 to 1. */
export interface ScoreSummary {
  count: number;
  groups: number;
  total: { before: RewardDistribution; after: RewardDistribution };
  /** Share of groups with equal rewards, which give no gradient. */
  flatGroups: { before: number; after: number };
  /** Share of groups with another best completion. */
  newBest: number;
  movement: Record<Rescored['movement'], number>;
  parts: Record<string, { before: RewardDistribution | null; after: RewardDistribution | null }>;
  /** Components that failed, with the number of completions. */
  failures: Record<string, number>;
}

export function summariseScores(rescored: readonly Rescored[]): ScoreSummary {
  const groups = groupsOf(rescored);
  const movement = { rises: 0, falls: 0, stays: 0, unscored: 0 };
  const failures: Record<string, number> = {};
  for (const one of rescored) {
    movement[one.movement]++;
    for (const [name, message] of Object.entries(one.new.failures)) {
      const key = `${name}: ${message}`;
      failures[key] = (failures[key] ?? 0) + 1;
    }
  }
  const names = (read: (one: Rescored) => object) => new Set(rescored.flatMap((one) => Object.keys(read(one))));
  const [before, after] = [names(({ old }) => old.parts), names((one) => one.new.parts)];
  const parts = Object.fromEntries(
    [...new Set([...after, ...before])].map((name) => [
      name,
      {
        before: before.has(name) ? spread(rescored.map(({ old }) => old.parts[name] ?? null)) : null,
        after: after.has(name) ? spread(rescored.map((one) => one.new.parts[name] ?? null)) : null,
      },
    ]),
  );
  const share = (test: (group: Rescored[]) => boolean) => mean(groups.map((group) => Number(test(group))));
  const best = (group: Rescored[], rank: (one: Rescored) => number | null) => {
    const ranks = group.map((one) => rank(one) ?? Number.POSITIVE_INFINITY);
    const top = smallest(ranks);
    return ranks.flatMap((value, i) => (value === top ? [i] : []));
  };
  return {
    count: rescored.length,
    groups: groups.length,
    total: {
      before: spread(rescored.map(({ old }) => old.total)),
      after: spread(rescored.map((one) => one.new.total)),
    },
    flatGroups: {
      before: share((group) => allEqual(group.map(({ old }) => old.total))),
      after: share((group) => allEqual(group.map((one) => one.new.total))),
    },
    newBest: share((group) => {
      const were = best(group, ({ oldRank }) => oldRank);
      return !best(group, ({ newRank }) => newRank).some((i) => were.includes(i));
    }),
    movement,
    parts,
    failures,
  };
}

/** The completions of each prompt, in the order of the records. */
export const groupsOf = <T extends RecordedCompletion>(rescored: readonly Rescored<T>[]): Rescored<T>[][] =>
  groupedBy(rescored, ({ record }) => promptOf(record));

function spread(values: readonly (number | null)[]): RewardDistribution {
  const known = values.filter((value) => value !== null);
  const bounds = known.length > 0 ? { min: smallest(known), max: largest(known) } : { min: 0, max: 0 };
  return { applies: known.length / Math.max(values.length, 1), mean: mean(known), std: deviation(known), ...bounds };
}

/** Whether all scored completions have the same reward, so that their advantages are 0. */
export function allEqual(totals: readonly (number | null)[]): boolean {
  const known = totals.filter((total) => total !== null);
  return known.every((total) => Math.abs(total - known[0]) < 1e-9);
}
