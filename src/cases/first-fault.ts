import { faultText, isGuess } from '../chain/fault-text';
import { firstWrongStep, type StepFault } from '../chain/faults';
import type { PlacedChain } from '../chain/split';
import type { Chain, Span } from '../chain/types';
import type { FailureRecord } from '../runs/records';

/** The first wrong step of an answer: its number (from 0), what of the answer's text is wrong, and why. */
export interface FirstFault extends Span {
  step: number;
  reason: string;
  /** The evidence: a false equation, a departure from the teacher (which is a guess), or a person's mark. */
  by: 'equation' | 'guess' | 'person';
}

interface Evidence {
  /** The step that a person marked. */
  marked?: number;
  /** As the run recorded it for this very answer. */
  recorded?: FailureRecord['firstWrongStep'];
  /** The teacher's chain, or the reference answer. */
  against?: Chain | string;
  question?: string;
}

/** Marked by a person, else recorded, else computed now. */
export function firstFault(
  { chain, place }: PlacedChain,
  { marked, recorded, against, question }: Evidence,
): FirstFault | undefined {
  const whole = marked === undefined ? undefined : place({ step: marked });
  if (whole) return { step: marked!, reason: 'marked by hand as the first wrong step', by: 'person', ...whole };
  const fault: StepFault | FailureRecord['firstWrongStep'] | null =
    recorded ?? firstWrongStep(chain, against, question);
  const wrong = fault && place(fault);
  if (!wrong) return undefined;
  const said = 'reason' in fault ? fault.reason : fault.message;
  return { step: fault.step, reason: faultText(said, fault.step), by: isGuess(said) ? 'guess' : 'equation', ...wrong };
}
