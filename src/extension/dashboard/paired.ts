import type { Pair } from '../../protocol/dashboard';
import type { EvaluationRecord } from '../../runs/records';
import { mean, pairedInterval } from '../../statistics';

/**
 * How `after` differs from `before` on the problems that both answered (same id, same reference answer); undefined if there are none.
 * A problem answered more than once counts with the mean of its answers.
 */
export function pairedDifference(
  before: readonly EvaluationRecord[],
  after: readonly EvaluationRecord[],
): Pick<Pair, 'n' | 'accuracy' | 'accuracyInterval' | 'tokens' | 'tokensInterval'> | undefined {
  const first = byProblem(before);
  const second = byProblem(after);
  const common = [...first.keys()].filter((key) => second.has(key));
  if (common.length === 0) return undefined;
  const right = [first, second].map((answers) => common.map((key) => answers.get(key)!.right));
  const tokens = [first, second].map((answers) => common.map((key) => answers.get(key)!.tokens));
  return {
    n: common.length,
    accuracy: mean(right[1]) - mean(right[0]),
    accuracyInterval: pairedInterval(right[0], right[1]),
    tokens: mean(tokens[1]) - mean(tokens[0]),
    tokensInterval: pairedInterval(tokens[0], tokens[1]),
  };
}

function byProblem(records: readonly EvaluationRecord[]): Map<string, { right: number; tokens: number }> {
  const answers = new Map<string, EvaluationRecord[]>();
  for (const record of records) {
    const key = JSON.stringify([record.problemId, record.gold]);
    const known = answers.get(key);
    if (known) known.push(record);
    else answers.set(key, [record]);
  }
  return new Map(
    [...answers].map(([key, of]) => [
      key,
      { right: mean(of.map(({ correct }) => Number(correct))), tokens: mean(of.map(({ tokens }) => tokens)) },
    ]),
  );
}
