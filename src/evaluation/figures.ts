/** The figures of an evaluation: the same whoever answered. */
import { mean, wilsonInterval } from '../statistics';

/** One problem's answer by the student. */
export interface EvaluatedAnswer {
  problemId: string;
  text: string;
  /** Completion tokens without the end token. */
  tokens: number;
  /** The answer in strict mode, as text; null when there is none. */
  answer: string | null;
  correct: boolean;
  /** Right by the last number anywhere in the text. */
  lenientCorrect: boolean;
  finished: boolean;
}

export interface Evaluation<A extends EvaluatedAnswer = EvaluatedAnswer> {
  n: number;
  /** Share right, strict extraction. */
  accuracy: number;
  /** Wilson interval at 95 %. */
  accuracyInterval: [number, number];
  lenientAccuracy: number;
  meanTokens: number;
  /** Share that hit the token budget. */
  truncated: number;
  answers: A[];
  tokensPerSecond: number;
}

/** Of answers that took `seconds` all together; lengths are those of the answers that `came`. */
export function evaluationOf<A extends EvaluatedAnswer>(
  answers: A[],
  seconds: number,
  came: readonly A[] = answers,
): Evaluation<A> {
  const right = answers.filter(({ correct }) => correct).length;
  return {
    n: answers.length,
    accuracy: right / Math.max(answers.length, 1),
    accuracyInterval: wilsonInterval(right, answers.length),
    lenientAccuracy: mean(answers.map(({ lenientCorrect }) => Number(lenientCorrect))),
    meanTokens: mean(came.map(({ tokens }) => tokens)),
    truncated: mean(came.map(({ finished }) => Number(!finished))),
    answers,
    tokensPerSecond: answers.reduce((sum, { tokens }) => sum + tokens, 0) / Math.max(seconds, 1e-9),
  };
}
