import { groupsBy } from '../grouped';
import { mean, pairedInterval } from '../statistics';
import type { EvaluationRecord } from './records';

/** Over `n` problems: the differences of accuracy and of mean tokens, with 95 % intervals over the problems. */
export interface PairedDifference {
  n: number;
  accuracy: number;
  accuracyInterval: [number, number];
  tokens: number;
  tokensInterval: [number, number];
}

/**
 * The difference between `after` and `before` on the problems that both answered (same id, same reference answer);
 * undefined if there are none. A problem answered more than once counts with the mean of its answers. Each side is one
 * student, so the intervals do not cover variation between training seeds.
 */
export function pairedDifference(
  before: readonly EvaluationRecord[],
  after: readonly EvaluationRecord[],
): PairedDifference | undefined {
  const first = byProblem(before);
  const second = byProblem(after);
  const common = [...first.keys()].filter((key) => second.has(key));
  if (common.length === 0) return undefined;
  const differences = (of: 'right' | 'tokens') => common.map((key) => second.get(key)![of] - first.get(key)![of]);
  const [right, tokens] = [differences('right'), differences('tokens')];
  return {
    n: common.length,
    accuracy: mean(right),
    accuracyInterval: pairedInterval([right]),
    tokens: mean(tokens),
    tokensInterval: pairedInterval([tokens]),
  };
}

function byProblem(records: readonly EvaluationRecord[]): Map<string, { right: number; tokens: number }> {
  return new Map(
    [...groupsBy(records, ({ problemId, gold }) => JSON.stringify([problemId, gold]))].map(([key, of]) => [
      key,
      { right: mean(of.map(({ correct }) => Number(correct))), tokens: mean(of.map(({ tokens }) => tokens)) },
    ]),
  );
}
