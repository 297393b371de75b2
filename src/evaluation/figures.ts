/** The figures of an evaluation, whatever gave the answers. */
import { type Figures, figuresOf } from '../results';

/** The student's answer to one problem. */
export interface EvaluatedAnswer {
  problemId: string;
  text: string;
  /** Completion tokens without the end token. */
  tokens: number;
  /** The strict answer as text; null if there is none. */
  answer: string | null;
  correct: boolean;
  /** Right by the last number anywhere in the text. */
  lenientCorrect: boolean;
  finished: boolean;
}

export interface Evaluation<A extends EvaluatedAnswer = EvaluatedAnswer> extends Figures {
  answers: A[];
}

/** For answers that took `seconds` in all; lengths are those of the `received` answers. */
export const evaluationOf = <A extends EvaluatedAnswer>(
  answers: A[],
  seconds: number,
  received: readonly A[] = answers,
): Evaluation<A> => ({ ...figuresOf({ answers, received: received, seconds }), answers });
