/** The figures of an evaluation: the same whoever answered. */
import { type Figures, figuresOf } from '../results';

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

export interface Evaluation<A extends EvaluatedAnswer = EvaluatedAnswer> extends Figures {
  answers: A[];
}

/** Of answers that took `seconds` all together; lengths are those of the answers that `came`. */
export const evaluationOf = <A extends EvaluatedAnswer>(
  answers: A[],
  seconds: number,
  came: readonly A[] = answers,
): Evaluation<A> => ({ ...figuresOf({ answers, came, seconds }), answers });
