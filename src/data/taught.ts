/** What is learned of a dataset: its problems with the teacher chains as the experiment wants them. */
import { partChain } from '../chain/split';
import type { ParsedExperiment } from '../config/experiment';
import { withoutOtherAnswers } from './other-answers';
import { changed, type Problems, spread } from './problems';
import type { Problem } from './types';

type Rules = Pick<ParsedExperiment['data'], 'otherAnswers' | 'thinking'>;

export function taughtProblems(problems: Problems, { otherAnswers, thinking }: Rules): Problems {
  const right = withoutOtherAnswers(problems, otherAnswers);
  return thinking === 'keep' ? right : changed(right, withoutThinking);
}

function withoutThinking(problem: Problem): Problem {
  if (problem.chain === undefined) return problem;
  const { thinking, solution } = partChain(problem.chain);
  return thinking === '' || solution === '' ? problem : { ...problem, chain: solution };
}

/** Chains are looked at as far as this. */
const looked = 1000;

/** Of so many chains that were looked at, how many have thinking of their own beside a solution. */
export function thinkingIn(problems: Problems): { chains: number; thinking: number } {
  const chains = spread(problems, looked).flatMap(({ chain }) => chain ?? []);
  const thinking = chains.filter((chain) => {
    const parts = partChain(chain);
    return parts.thinking !== '' && parts.solution !== '';
  });
  return { chains: chains.length, thinking: thinking.length };
}
