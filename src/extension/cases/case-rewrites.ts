import { sameAnswer } from '../../answers/equal';
import { extractAnswer } from '../../answers/extract';
import type { RewriteDecision, RewriteRecord } from '../../runs/records';

/** A rewrite of a case: sampled by Stage 3, on request, or written by a person. */
export interface CaseRewrite {
  text: string;
  tokens?: number;
  reward?: number | null;
  parts?: Record<string, number | null>;
  /** By the reference answer. */
  correct: boolean;
  /** What a person decided; undefined: nobody did. */
  verdict?: Exclude<RewriteDecision['verdict'], 'proposed'>;
  /** What Stage 3 made of it: undefined for texts that it has not seen, null where it accepted it, else why not. */
  refused?: string | null;
  provenance: RewriteDecision['provenance'];
}

/**
 * The rewrites of a case, each text once: those that people approved first, what they rejected last, then right before
 * wrong.
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

function rank({ verdict, refused, correct }: CaseRewrite): number {
  if (verdict === 'edited' || verdict === 'accepted') return 0;
  if (verdict === 'rejected') return 5;
  if (refused === null) return 1;
  if (refused === undefined) return correct ? 2 : 3;
  return correct ? 3 : 4;
}

/** Whether a text ends in the reference answer, as Stage 3 counts it. */
export function isRight(text: string, gold: string): boolean {
  const answer = extractAnswer(text, 'strict');
  return answer !== null && sameAnswer(answer.value, gold);
}

/**
 * What a person starts from: the approved rewrite, else the best that is right. A wrong one would have to be written
 * anew anyway.
 */
export const startingPoint = (rewrites: readonly CaseRewrite[]): CaseRewrite | undefined =>
  rewrites.find(({ verdict, correct }) => verdict !== 'rejected' && correct);

/** In words: "accepted by hand", "accepted by Stage 3", "proposed, right", "not accepted: wrong". */
export function standingOf({ verdict, refused, correct }: CaseRewrite): string {
  if (verdict === 'edited') return 'written by hand, accepted';
  if (verdict !== undefined) return `${verdict} by hand`;
  if (refused === undefined) return `proposed, ${correct ? 'right' : 'wrong'}`;
  return refused === null ? 'accepted by Stage 3' : `not accepted by Stage 3: ${refused}`;
}
