/** Teacher chains that end in another answer than the reference: nobody should learn wrong working under a right answer. */
import { extractAnswer, sameAnswer } from '../chain/answer';
import type { Problem } from './types';

export type OtherAnswers = 'drop' | 'keep';

/** The answer that a problem's chain states where it is not the reference answer; null where it is, or where none is stated. */
export function otherAnswer({ chain, answer }: Problem): string | null {
  const stated = chain === undefined ? null : extractAnswer(chain, 'strict');
  return stated && !sameAnswer(stated.value, answer) ? stated.value : null;
}

/** The problems without the chains that end in another answer, which are counted in `notes`; with "keep", all as they are. */
export function withoutOtherAnswers(
  problems: Problem[],
  rule: OtherAnswers = 'drop',
): { problems: Problem[]; notes: string[] } {
  const others = new Map<Problem, string>();
  for (const problem of problems) {
    const other = otherAnswer(problem);
    if (other !== null) others.set(problem, other);
  }
  if (others.size === 0) return { problems, notes: [] };
  const chains = problems.filter(({ chain }) => chain !== undefined).length;
  const [[{ id, answer }, other]] = others;
  const told = `${others.size} of ${chains} teacher chains end in another answer than the reference (${id}: ${clip(other)}, not ${clip(answer)})`;
  if (rule === 'keep') return { problems, notes: [`${told}. They are kept as they are ("otherAnswers": "keep").`] };
  return {
    problems: problems.map((problem) => (others.has(problem) ? withoutChain(problem) : problem)),
    notes: [`${told}. These chains are left out, their questions stay; data.otherAnswers "keep" keeps them.`],
  };
}

const clip = (text: string) => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

function withoutChain({ chain: _, ...problem }: Problem): Problem {
  return problem;
}
