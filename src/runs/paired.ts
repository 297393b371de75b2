import { groupsBy } from '../grouped';
import { mean, pairedInterval, unpairedInterval } from '../statistics';
import type { EvaluationRecord } from './records';

/** Over `n` problems: the differences of accuracy and of mean tokens, with 95 % intervals. */
export interface PairedDifference {
  n: number;
  accuracy: number;
  accuracyInterval: [number, number];
  tokens: number;
  tokensInterval: [number, number];
}

/** A student's answers by problem, in the same order for every student: whether they are right (0 or 1), and tokens. */
export interface ProblemAnswers {
  right: number[];
  tokens: number[];
}

/**
 * The difference between `after` and `before` on the problems that both answered (same id, same reference answer);
 * undefined if there are none. Each side is one student, so the intervals are over the problems and do not cover
 * variation between training seeds.
 */
export function pairedDifference(
  before: readonly EvaluationRecord[],
  after: readonly EvaluationRecord[],
): PairedDifference | undefined {
  const first = byProblem(before);
  const second = byProblem(after);
  const common = [...first.keys()].filter((key) => second.has(key));
  if (common.length === 0) return undefined;
  return meanDifference([answersTo(common, first)], [answersTo(common, second)]);
}

/**
 * The mean difference between the students of several runs, with intervals over runs and problems. `before[i]` and
 * `after[i]` are a pair, such as students of one run; `pairs` is false if they are not.
 */
export function meanDifference(
  before: readonly ProblemAnswers[],
  after: readonly ProblemAnswers[],
  pairs = true,
): PairedDifference {
  const difference = (of: keyof ProblemAnswers): [number, [number, number]] => {
    const [first, second] = [before, after].map((students) => students.map((answers) => answers[of]));
    if (!pairs) return [mean(second.map(mean)) - mean(first.map(mean)), unpairedInterval(first, second)];
    const differences = second.map((row, i) => row.map((value, problem) => value - first[i][problem]));
    return [mean(differences.map(mean)), pairedInterval(differences)];
  };
  const [accuracy, accuracyInterval] = difference('right');
  const [tokens, tokensInterval] = difference('tokens');
  return { n: after[0].right.length, accuracy, accuracyInterval, tokens, tokensInterval };
}

export type AnswersByProblem = ReadonlyMap<string, { right: number; tokens: number }>;

/** By problem and reference answer. A problem answered more than once counts with the mean of its answers. */
export function byProblem(records: readonly EvaluationRecord[]): AnswersByProblem {
  return new Map(
    [...groupsBy(records, ({ problemId, gold }) => JSON.stringify([problemId, gold]))].map(([key, of]) => [
      key,
      { right: mean(of.map(({ correct }) => Number(correct))), tokens: mean(of.map(({ tokens }) => tokens)) },
    ]),
  );
}

/** The answers to these problems, in their order. */
export const answersTo = (problems: readonly string[], answers: AnswersByProblem): ProblemAnswers => ({
  right: problems.map((key) => answers.get(key)!.right),
  tokens: problems.map((key) => answers.get(key)!.tokens),
});
