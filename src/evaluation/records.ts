/** The record of each answer of an evaluation: a line of JSON. */
import { exactMatch, flexibleExtract, strictMatch } from '../chain/lm-eval-filters';
import type { Problems } from '../data/problems';
import type { ServerAnswer } from './server';

export type EvaluationAnswerRecord = ReturnType<typeof recordOf>;

/** The answer at index `index` of an evaluation, where the samples of each problem are consecutive. */
export function recordOf(given: ServerAnswer, index: number, problems: Problems, samples: number) {
  const { problemId, text, tokens, tokensEstimated, answer, correct, lenientCorrect, finished, error } = given;
  const { question, answer: gold } = problems.at(Math.floor(index / samples))!;
  return {
    problemId,
    ...(samples > 1 && { sample: index % samples }),
    question,
    gold,
    text,
    answer,
    correct,
    lenientCorrect,
    strictMatch: exactMatch(strictMatch(text), gold),
    flexibleExtract: exactMatch(flexibleExtract(text), gold),
    finished,
    tokens,
    ...(tokensEstimated && { tokensEstimated }),
    ...(error !== undefined && { error }),
  };
}

export const linesOf = (records: readonly EvaluationAnswerRecord[]) =>
  records.map((one) => `${JSON.stringify(one)}\n`).join('');
