/**
 * Teacher chains that end in another answer than the reference: nobody should learn wrong working under a right answer.
 */
import { sameAnswer } from '../answers/equal';
import { extractAnswer } from '../answers/extract';
import { clip } from '../words';
import { changed, type Problems } from './problems';
import type { Problem } from './types';

export type OtherAnswers = 'drop' | 'keep';

/**
 * The answer that a problem's chain states where it is not the reference answer; null where it is, or where none is
 * stated.
 */
export function otherAnswer({ chain, answer, meta }: Problem): string | null {
  if (meta?.verified === true) return null; // by whoever made the dataset
  const stated = chain === undefined ? null : extractAnswer(chain, 'strict');
  return stated && !sameAnswer(stated.value, answer) ? stated.value : null;
}

/** The problems without the chains that end in another answer; with "keep", all as they are. */
export function withoutOtherAnswers(problems: Problems, rule: OtherAnswers = 'drop'): Problems {
  if (rule === 'keep') return problems;
  return changed(problems, (problem) => (otherAnswer(problem) === null ? problem : withoutChain(problem)));
}

function withoutChain({ chain: _, ...problem }: Problem): Problem {
  return problem;
}

/** How many of these chains end in another answer, and what becomes of them. */
export function otherAnswersNote(problems: readonly Problem[], rule: OtherAnswers = 'drop'): string | undefined {
  const chains = problems.filter(({ chain }) => chain !== undefined).length;
  const others = problems.flatMap((problem) => {
    const other = otherAnswer(problem);
    return other === null ? [] : [{ ...problem, other }];
  });
  if (others.length === 0) return undefined;
  const [{ id, answer, other }] = others;
  const told =
    `${others.length} of ${chains} teacher chains end in another answer than ` +
    `the reference (${id}: ${clip(other, 41)}, not ${clip(answer, 41)})`;
  return rule === 'keep'
    ? `${told}. They are kept as they are ("otherAnswers": "keep").`
    : `${told}. These chains are left out, their questions stay; data.otherAnswers "keep" keeps them.`;
}
