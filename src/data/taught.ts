/** What is learned of a dataset: its problems with the teacher chains as the experiment wants them. */
import { partChain, splitChain } from '../chain/split';
import type { ParsedExperiment } from '../config/experiment';
import { withoutOtherAnswers } from './other-answers';
import { changed, type Problems, spread } from './problems';
import type { Problem } from './types';

type Rules = Pick<ParsedExperiment['data'], 'otherAnswers' | 'thinking'>;

export function taughtProblems(problems: Problems, { otherAnswers, thinking }: Rules): Problems {
  const right = withoutOtherAnswers(problems, otherAnswers);
  return thinking === 'keep' ? right : changed(right, withoutThinking);
}

/** Where nothing but an answer follows the thinking, that is the solution. */
function withoutThinking(problem: Problem): Problem {
  if (problem.chain === undefined) return problem;
  const { thinking, solution } = partChain(problem.chain);
  if (thinking === '' || solution === '') return problem;
  return { ...problem, chain: isBare(solution) ? `${thinking}\n\n${solution}` : solution };
}

const isBare = (solution: string) => splitChain(solution).steps.length === 0;

/** Chains are looked at as far as this. */
const looked = 1000;

/**
 * Of so many chains that were looked at, how many have thinking before what they say, and of these how many say the
 * answer alone.
 */
export function thinkingIn(problems: Problems): { chains: number; thinking: number; bare: number } {
  const chains = spread(problems, looked).flatMap(({ chain }) => chain ?? []);
  const thoughtful = chains.map(partChain).filter(({ thinking, solution }) => thinking !== '' && solution !== '');
  const bare = thoughtful.filter(({ solution }) => isBare(solution));
  return { chains: chains.length, thinking: thoughtful.length, bare: bare.length };
}
