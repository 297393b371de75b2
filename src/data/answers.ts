import { extractAnswer, sameAnswer } from '../chain/answer';
import type { Problem } from './types';

/** Whether somebody who writes the reference answer behind "Answer:" is right. */
function isReadable({ answer }: Problem): boolean {
  const found = extractAnswer(`Answer: ${answer}`, 'strict');
  return found !== null && sameAnswer(found.value, answer);
}

/** What to say of problems whose reference answer no answer line can give, such as whole sentences; undefined when there are none. */
export function unreadableAnswers(problems: readonly Problem[]): string | undefined {
  const unreadable = problems.filter((problem) => !isReadable(problem));
  if (unreadable.length === 0) return undefined;
  const [{ id, answer }] = unreadable;
  const example = answer.length > 60 ? `${answer.slice(0, 60)}…` : answer;
  return `${unreadable.length} of ${problems.length} reference answers are no number, formula or few words, so that no answer counts as right (${id}: ${JSON.stringify(example)}). Shorten them, or leave these rows out.`;
}
