/** A person's decisions on a case, appended to the run's decisions.jsonl. */

import { type CaseRewrite, isRight, startingPoint } from '../../cases/rewrites';
import { splitChain } from '../../chain/split';
import { UserError } from '../../errors';
import { appendDecisions, type NewDecision } from '../../runs/decisions';
import type { RewriteDecision } from '../../runs/records';
import type { Case, CaseAnswer } from './case';

type Decidable = Pick<Case, 'reference' | 'question' | 'gold'>;

/** Accepts or rejects a rewrite. One with a wrong answer cannot be accepted, as the student would learn it. */
export function decide(of: Decidable, rewrite: CaseRewrite, verdict: 'accepted' | 'rejected'): void {
  if (verdict === 'accepted') refuseWrong(of, rewrite.text);
  append(of, [decision(of, verdict, rewrite)]);
}

/** Saves texts that were sampled on request, so that they can be judged. */
export function propose(of: Decidable, rewrites: readonly Omit<CaseRewrite, 'correct'>[]): void {
  append(
    of,
    rewrites.map((rewrite) => decision(of, 'proposed', rewrite)),
  );
}

/** Accepts a rewrite that a person wrote. @throws UserError when there is no text, no answer, or a wrong answer */
export function saveEdited(of: Case, written: string): void {
  const text = written.replace(/\r\n?/g, '\n').trim();
  refuseWrong(of, text);
  const best = startingPoint(of.rewrites);
  if (best?.text === text) {
    decide(of, best, 'accepted');
    return;
  }
  // Replaces the version that this text was edited from: only one handwritten text is taught.
  const former = of.rewrites.filter((one) => one.verdict === 'edited' && one.text !== text);
  append(of, [
    ...former.map((one) => decision(of, 'rejected', one)),
    decision(of, 'edited', { text, provenance: { from: 'person', ...(best && { original: best.text }) } }),
  ]);
}

/** Picks these problems for Stage 3, or unpicks them. */
export function pick(run: string, problems: readonly { problemId: string; question: string }[], picked: boolean): void {
  appendDecisions(
    run,
    problems.map(({ problemId, question }) => ({ kind: 'pick', problemId, question, picked })),
  );
}

/** Marks the step (from 0) where an answer first goes wrong; null removes the mark. */
export function markStep(of: Decidable, { text, place }: CaseAnswer, step: number | null): void {
  const said = step === null ? {} : { text: splitChain(text).steps[step] };
  append(of, [{ kind: 'step', ...problemOf(of), sample: place.sample, step, ...said }]);
}

/** Sets the note on a case; an empty text removes it. */
export const note = (of: Decidable, text: string): void => append(of, [{ kind: 'note', ...problemOf(of), text }]);

export const markRead = (of: Decidable, read: boolean): void => append(of, [{ kind: 'read', ...problemOf(of), read }]);

const problemOf = ({ reference: { problemId }, question }: Decidable) => ({ problemId, question });

function refuseWrong({ gold }: Decidable, text: string): void {
  if (isRight(text, gold)) return;
  throw new UserError(text === '' ? 'the rewrite is empty' : 'the rewrite does not end in the right answer', {
    code: 'input',
    remedy: `End it with a line "Answer: ${gold}"; Stage 3 learns it as it is.`,
  });
}

function decision(
  { reference: { problemId }, question }: Decidable,
  verdict: RewriteDecision['verdict'],
  { text, tokens, reward, parts, provenance }: Pick<CaseRewrite, 'text' | 'provenance'> & Partial<CaseRewrite>,
): NewDecision {
  return { kind: 'rewrite', problemId, question, verdict, text, tokens, reward, parts, provenance };
}

const append = ({ reference }: Decidable, decisions: readonly NewDecision[]) =>
  appendDecisions(reference.run, decisions);
