/**
 * Teacher chains whose answer differs from the reference: a student must not learn wrong working with a right answer.
 */
import { sameAnswer } from '../answers/equal';
import { extractAnswer } from '../answers/extract';
import { clip } from '../words';
import { changed, type Problems } from './problems';
import type { Problem } from './types';

export type OtherAnswers = 'drop' | 'keep';

/** The answer in a problem's chain if it differs from the reference answer; otherwise, or without one, null. */
export function otherAnswer({ chain, answer, meta }: Problem): string | null {
  if (meta?.verified === true) return null; // by the author of the dataset
  const stated = chain === undefined ? null : extractAnswer(chain, 'strict');
  return stated && !sameAnswer(stated.value, answer) ? stated.value : null;
}

/** The problems without chains whose answer differs; with "keep", all unchanged. */
export function withoutOtherAnswers(problems: Problems, rule: OtherAnswers = 'drop'): Problems {
  if (rule === 'keep') return problems;
  return changed(problems, (problem) => (otherAnswer(problem) === null ? problem : withoutChain(problem)));
}

function withoutChain({ chain: _, ...problem }: Problem): Problem {
  return problem;
}

/** The number of these chains, and what happens to them. */
export function otherAnswersNote(problems: readonly Problem[], rule: OtherAnswers = 'drop'): string | undefined {
  const chains = problems.filter(({ chain }) => chain !== undefined).length;
  const others = problems.flatMap((problem) => {
    const other = otherAnswer(problem);
    return other === null ? [] : [{ ...problem, other }];
  });
  if (others.length === 0) return undefined;
  const [{ id, answer, other }] = others;
  const note =
    `${others.length} of ${chains} teacher chains end in another answer than ` +
    `the reference (${id}: ${clip(other, 41)}, not ${clip(answer, 41)})`;
  return rule === 'keep'
    ? `${note}. They are kept unchanged ("otherAnswers": "keep").`
    : `${note}. These chains are dropped, their questions stay; data.otherAnswers "keep" keeps the chains.`;
}
