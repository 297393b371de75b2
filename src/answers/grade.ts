/** The verdict on a text, shared by evaluation, rewards, teachers and `distillery grade`. */
import { sameAnswer } from './equal';
import { extractAnswer } from './extract';

export interface Verdict {
  /** The strict answer for display; null for none. */
  answer: string | null;
  /** Whether it is right. */
  correct: boolean;
  /** Whether the strict answer is right or, without one, the lenient one. */
  lenientCorrect: boolean;
}

/**
 * Strict and lenient verdict on a text. A text that was cut off before its answer line has no strict answer; one cut
 * off in its thinking has none at all.
 */
export function judge(text: string, gold: string): Verdict {
  const strict = extractAnswer(text, 'strict');
  const lenient = strict ?? extractAnswer(text, 'lenient');
  return {
    answer: strict?.value ?? null,
    correct: strict !== null && sameAnswer(strict.value, gold),
    lenientCorrect: lenient !== null && sameAnswer(lenient.value, gold),
  };
}
