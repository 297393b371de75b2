import { extractAnswer, sameAnswer } from '../chain/answer';
import { splitChain } from '../chain/split';
import type { Problem } from './types';

/** What the user should know of problems before anything is trained on them. */
export function notesOn(problems: readonly Problem[]): string[] {
  return [unreadableAnswers(problems), singleSteps(problems)].filter((note) => note !== undefined);
}

/** Whether somebody who writes the reference answer behind "Answer:" is right. */
function isReadable({ answer }: Problem): boolean {
  const found = extractAnswer(`Answer: ${answer}`, 'strict');
  return found !== null && sameAnswer(found.value, answer);
}

/** Reference answers that no answer line can give, such as whole sentences. */
function unreadableAnswers(problems: readonly Problem[]): string | undefined {
  const unreadable = problems.filter((problem) => !isReadable(problem));
  if (unreadable.length === 0) return undefined;
  const [{ id, answer }] = unreadable;
  const example = answer.length > 60 ? `${answer.slice(0, 60)}…` : answer;
  return `${unreadable.length} of ${problems.length} reference answers are no number, formula or few words, so that no answer counts as right (${id}: ${JSON.stringify(example)}). Shorten them, or leave these rows out.`;
}

/** Chains are looked at as far as this. */
const most = 1000;

/** Chains of one step, when most are: free text mostly, whose steps nobody has marked. */
function singleSteps(problems: readonly Problem[]): string | undefined {
  const chains = problems.flatMap(({ chain }) => chain ?? []).slice(0, most);
  const single = chains.filter((chain) => splitChain(chain).steps.length < 2).length;
  if (2 * single <= chains.length) return undefined;
  return `${single} of ${chains.length} teacher chains have no more than one step: there is nothing to shuffle in Stage 1 and to mask in Stage 2. Steps are found best on lines that begin with "Step 1:".`;
}
