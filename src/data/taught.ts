/** A dataset's problems with the teacher chains that the experiment teaches. */
import { partChain, splitChain } from '../chain/split';
import type { ParsedExperiment } from '../config/experiment';
import { withoutOtherAnswers } from './other-answers';
import { changed, type Problems, spread } from './problems';
import type { Problem } from './types';

export type TaughtRules = Pick<ParsedExperiment['data'], 'otherAnswers' | 'thinking'>;

export function taughtProblems(problems: Problems, { otherAnswers, thinking }: TaughtRules): Problems {
  const right = withoutOtherAnswers(problems, otherAnswers);
  return thinking === 'keep' ? right : changed(right, withoutThinking);
}

/** A problem whose chain is the solution only; if only an answer follows the thinking, the thinking is the solution. */
export function withoutThinking(problem: Problem): Problem {
  if (problem.chain === undefined) return problem;
  const { thinking, solution } = partChain(problem.chain);
  if (thinking === '' || solution === '') return problem;
  return { ...problem, chain: isBare(solution) ? `${thinking}\n\n${solution}` : solution };
}

/** Whether a solution only states the answer: "**42**", "Tom has 42 marbles left." */
function isBare(solution: string): boolean {
  const { steps } = splitChain(solution);
  return steps.length === 0 || (steps.length === 1 && steps[0].length <= longestStatement && !/[=:：]/.test(steps[0]));
}

/** Code units of a sentence that states an answer. */
const longestStatement = 120;

/** Chains are examined up to this length. */
const looked = 1000;

/** Of the examined chains, the number with thinking, and of these the number with only an answer after it. */
export function thinkingIn(problems: Problems): { chains: number; thinking: number; bare: number } {
  const chains = spread(problems, looked).flatMap(({ chain }) => chain ?? []);
  const thoughtful = chains.map(partChain).filter(({ thinking, solution }) => thinking !== '' && solution !== '');
  const bare = thoughtful.filter(({ solution }) => isBare(solution));
  return { chains: chains.length, thinking: thoughtful.length, bare: bare.length };
}
