/** The errors of a case's document, with their ranges. */
import { sameAnswer } from '../../answers/equal';
import { extractAnswer } from '../../answers/extract';
import { firstWrongStep } from '../../chain/faults';
import { placeChain } from '../../chain/split';
import type { Span } from '../../chain/types';
import type { Case } from './case';
import type { CaseText } from './text';

export interface CaseFinding extends Span {
  /** A hint is underlined in the text but not listed in the Problems panel. */
  severity: 'warning' | 'information' | 'hint';
  message: string;
  code: 'first-wrong-step' | 'wrong-answer' | 'cut-off' | 'rewrite';
}

/**
 * The error of the shown answer: its first wrong step, else its wrong or missing answer. At most one, as later steps
 * only follow from it.
 */
export function studentFindings({ shown, fault, gold }: Case, { student }: CaseText): CaseFinding[] {
  if (!shown || !student || shown.correct) return [];
  if (fault) {
    const { start, end, reason, by } = fault;
    const place = { start: student.start + start, end: student.start + end };
    const severity = by === 'guess' ? 'information' : 'warning';
    return [{ ...place, severity, message: reason, code: 'first-wrong-step' }];
  }
  const lines = shown.text.trimEnd();
  const last = lines.lastIndexOf('\n') + 1;
  const place = { start: student.start + last, end: student.start + lines.length };
  if (!shown.finished) {
    const message = `cut off after ${shown.tokens} ${shown.unit ?? 'tokens'}; the answer is ${gold}`;
    return [{ ...place, severity: 'information', message, code: 'cut-off' }];
  }
  const message =
    shown.answer === null
      ? `no answer; it is ${gold}`
      : `${shown.answer} is wrong: the answer is ${gold}. Which step leads there is not known.`;
  return [{ ...place, severity: 'information', message, code: 'wrong-answer' }];
}

/** Why undecided or accepted rewrites must not be taught: a false equation, a wrong answer. */
export function rewriteFindings({ gold }: Case, { rewrites }: CaseText): CaseFinding[] {
  return rewrites.flatMap(({ section, rewrite }) =>
    rewrite.verdict === 'rejected'
      ? []
      : chainFindings(rewrite.text, gold).map((finding) => ({
          ...finding,
          severity: 'hint' as const,
          start: section.start + finding.start,
          end: section.start + finding.end,
        })),
  );
}

/** The first false equation of a chain, and its answer if that is not the reference answer. */
export function chainFindings(text: string, gold: string): CaseFinding[] {
  const { chain, place } = placeChain(text);
  const slip = firstWrongStep(chain);
  const wrong = slip && place(slip);
  const findings: CaseFinding[] = [];
  if (slip && wrong) findings.push({ ...wrong, severity: 'warning', message: slip.message, code: 'rewrite' });
  const answer = wrongAnswer(text, gold);
  if (answer) findings.push(answer);
  return findings;
}

function wrongAnswer(text: string, gold: string): CaseFinding | undefined {
  const answer = extractAnswer(text, 'strict');
  if (answer && sameAnswer(answer.value, gold)) return undefined;
  const end = text.trimEnd().length;
  const start = text.lastIndexOf('\n', Math.max(0, end - 1)) + 1;
  const message = answer
    ? `${answer.value} is wrong: the answer is ${gold}`
    : `there is no answer line; end the text with "Answer: ${gold}"`;
  return { start, end, severity: 'warning', message, code: 'rewrite' };
}
