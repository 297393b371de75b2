import { sameAnswer } from '../answers/equal';
import { extractAnswer } from '../answers/extract';
import type { RewriteDecision, RewriteRecord } from '../runs/records';

/** A rewrite of a case: sampled by Stage 3, sampled on request, or written by a person. */
export interface CaseRewrite {
  text: string;
  tokens?: number;
  reward?: number | null;
  parts?: Record<string, number | null>;
  /** Judged by the reference answer. */
  correct: boolean;
  /** A person's decision; undefined if there is none. */
  verdict?: Exclude<RewriteDecision['verdict'], 'proposed'>;
  /**
   * The verdict of Stage 3: null when accepted, else the reason for refusal. Undefined for texts that it has not seen.
   */
  refused?: string | null;
  provenance: RewriteDecision['provenance'];
}

/**
 * The rewrites of a case without duplicates: one written by hand first, then those that Stage 3 accepted, right before
 * wrong. A decision does not move a rewrite, so the next command applies at the same place.
 */
export function rewritesOf(
  records: readonly RewriteRecord[],
  decided: readonly RewriteDecision[],
  gold: string,
): CaseRewrite[] {
  const rewrites = new Map<string, CaseRewrite>();
  for (const { text, tokens, reward, accepted, reason, seq } of records) {
    if (rewrites.has(text)) continue;
    const refused = accepted ? null : (reason ?? 'not accepted');
    rewrites.set(text, {
      text,
      tokens,
      reward,
      refused,
      correct: isRight(text, gold),
      provenance: { from: 'run', seq },
    });
  }
  for (const { text, tokens, reward, parts, verdict, provenance } of decided) {
    const known = rewrites.get(text);
    rewrites.set(text, {
      correct: isRight(text, gold),
      provenance,
      ...known,
      text,
      tokens: known?.tokens ?? tokens,
      reward: known?.reward ?? reward,
      parts: known?.parts ?? parts,
      verdict: verdict === 'proposed' ? known?.verdict : verdict,
    });
  }
  return [...rewrites.values()].sort(
    (a, b) => rank(a) - rank(b) || (b.reward ?? -1e9) - (a.reward ?? -1e9) || (a.tokens ?? 0) - (b.tokens ?? 0),
  );
}

export const isAccepted = ({ verdict }: CaseRewrite) => verdict === 'edited' || verdict === 'accepted';

function rank({ verdict, refused, correct }: CaseRewrite): number {
  if (verdict === 'edited') return 0;
  if (refused === null) return 1;
  if (refused === undefined) return correct ? 2 : 3;
  return correct ? 3 : 4;
}

/** Whether a text ends in the reference answer, by the rule of Stage 3. */
export function isRight(text: string, gold: string): boolean {
  const answer = extractAnswer(text, 'strict');
  return answer !== null && sameAnswer(answer.value, gold);
}

/**
 * The starting point for a person: the accepted rewrite, else the best right one. A wrong one would have to be written
 * from scratch anyway.
 */
export const startingPoint = (rewrites: readonly CaseRewrite[]): CaseRewrite | undefined =>
  rewrites.find(isAccepted) ?? rewrites.find(({ verdict, correct }) => verdict !== 'rejected' && correct);

/** The status in words: "accepted by hand", "accepted by Stage 3", "proposed, right", "not accepted: wrong". */
export function rewriteStatus({ verdict, refused, correct }: CaseRewrite): string {
  if (verdict === 'edited') return 'written by hand, accepted';
  if (verdict !== undefined) return `${verdict} by hand`;
  if (refused === undefined) return `proposed, ${correct ? 'right' : 'wrong'}`;
  return refused === null ? 'accepted by Stage 3' : `not accepted by Stage 3: ${refused}`;
}
