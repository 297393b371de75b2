/** Scores of a reward for completions that were sampled under another one, before training with it. */
import type { RewardConfig } from '../config/reward';
import { groupedBy } from '../grouped';
import type { CodeRewards } from './code/code-rewards';
import type { RewardInput, RewardScore } from './compose';
import { scoreGroups } from './score';

export interface RecordedCompletion extends Pick<RewardInput, 'problem' | 'completion'> {
  problemId: string;
  /** Update and index of the prompt in it, if the records contain several groups of a problem. */
  step?: number;
  group?: number;
  reward: number | null;
  parts: Readonly<Record<string, number | null>>;
}

export interface Rescored<T extends RecordedCompletion = RecordedCompletion> {
  record: T;
  old: Pick<RewardScore, 'total' | 'parts'>;
  new: RewardScore;
  /**
   * Rank in the group from 1 (best); ties share the mean of their ranks; null if one of the rewards does not score it.
   */
  oldRank: number | null;
  newRank: number | null;
  /** Whether the new reward moves it before or after other completions of its group. */
  movement: 'rises' | 'falls' | 'stays' | 'unscored';
}

/** Identifies the prompt of a completion: a problem may occur several times. */
export const promptOf = ({ step, group, problemId }: RecordedCompletion) => JSON.stringify([step, group, problemId]);

/** Scores recorded completions again, group by group. The result is in the order of the records. */
export async function scoreRollouts<T extends RecordedCompletion>(
  config: RewardConfig,
  records: readonly T[],
  code?: CodeRewards,
): Promise<Rescored<T>[]> {
  const rescored = new Map<T, Rescored<T>>();
  const groups = groupedBy(records, promptOf);
  const inputs = groups.map((group) => group.map(({ problem, completion }) => ({ problem, completion })));
  const all = await scoreGroups(config, inputs, code);
  for (const [g, group] of groups.entries()) {
    const scores = all[g];
    // Only completions that both rewards score can change places.
    const compared = group.map(({ reward }, i) => reward !== null && scores[i].total !== null);
    const oldRanks = ranks(group.map(({ reward }, i) => (compared[i] ? reward : null)));
    const newRanks = ranks(scores.map(({ total }, i) => (compared[i] ? total : null)));
    group.forEach((record, i) => {
      const [oldRank, newRank] = [oldRanks[i], newRanks[i]];
      rescored.set(record, {
        record,
        old: { total: record.reward, parts: record.parts },
        new: scores[i],
        oldRank,
        newRank,
        movement: movementOf(oldRank, newRank),
      });
    });
  }
  return records.map((record) => rescored.get(record)!);
}

function movementOf(oldRank: number | null, newRank: number | null): Rescored['movement'] {
  if (oldRank === null || newRank === null) return 'unscored';
  if (newRank < oldRank) return 'rises';
  return newRank > oldRank ? 'falls' : 'stays';
}

/** Totals closer than this are ties, as recorded ones were rounded to text. */
const tieTolerance = 1e-9;

function ranks(totals: (number | null)[]): (number | null)[] {
  const scored = totals.filter((total) => total !== null);
  return totals.map((total) => {
    if (total === null) return null;
    const better = scored.filter((other) => other > total + tieTolerance).length;
    const equal = scored.filter((other) => Math.abs(other - total) <= tieTolerance).length;
    return better + (equal + 1) / 2;
  });
}
