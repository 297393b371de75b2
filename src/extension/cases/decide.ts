/** What a person decides about a case, written to the run's decisions.jsonl. */
import { splitChain } from '../../chain/split';
import { UserError } from '../../errors';
import { appendDecisions, type NewDecision } from '../../runs/decisions';
import type { RewriteDecision } from '../../runs/records';
import type { Case, CaseAnswer } from './case';
import { type CaseRewrite, isRight, startingPoint } from './case-rewrites';

type Decidable = Pick<Case, 'reference' | 'question' | 'gold'>;

/** Accepts or rejects a rewrite. A rewrite whose answer is wrong cannot be accepted: it would be taught. */
export function decide(of: Decidable, rewrite: CaseRewrite, verdict: 'accepted' | 'rejected'): void {
  if (verdict === 'accepted') refuseWrong(of, rewrite.text);
  append(of, [decision(of, verdict, rewrite)]);
}

/** Keeps texts that were sampled on request, so that they can be decided on. */
export function propose(of: Decidable, rewrites: readonly Omit<CaseRewrite, 'correct'>[]): void {
  append(
    of,
    rewrites.map((rewrite) => decision(of, 'proposed', rewrite)),
  );
}

/** Accepts what a person wrote. Errors: no text, no answer, a wrong answer. */
export function saveEdited(of: Case, written: string): void {
  const text = written.replace(/\r\n?/g, '\n').trim();
  refuseWrong(of, text);
  const best = startingPoint(of.rewrites);
  if (best?.text === text) {
    decide(of, best, 'accepted');
    return;
  }
  // The version that this one was written from has served: only one text of a person's hand is taught.
  const former = of.rewrites.filter((one) => one.verdict === 'edited' && one.text !== text);
  append(of, [
    ...former.map((one) => decision(of, 'rejected', one)),
    decision(of, 'edited', { text, provenance: { from: 'person', ...(best && { original: best.text }) } }),
  ]);
}

/** Tells Stage 3 to take these problems, or no longer to. */
export function pick(run: string, problems: readonly { problemId: string; question: string }[], picked: boolean): void {
  appendDecisions(
    run,
    problems.map(({ problemId, question }) => ({ kind: 'pick', problemId, question, picked })),
  );
}

/** Says where an answer first goes wrong: a step, from 0; null takes the mark back. */
export function markStep(of: Decidable, { text, place }: CaseAnswer, step: number | null): void {
  const said = step === null ? {} : { text: splitChain(text).steps[step] };
  append(of, [{ kind: 'step', ...problemOf(of), sample: place.sample, step, ...said }]);
}

/** Notes something about a case; an empty text takes the note away. */
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
