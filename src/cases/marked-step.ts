import { splitChain } from '../chain/split';
import type { MarkedStep } from '../runs/decisions';
import type { AnswerRecord } from '../runs/records';

/**
 * The mark, where it is about one of these answers: decisions go from run to run, and the next student may have
 * answered otherwise.
 */
export function markIn(
  samples: readonly Pick<AnswerRecord, 'text'>[],
  marked: MarkedStep | undefined,
): MarkedStep | undefined {
  const sample = marked && samples[marked.sample];
  if (!sample) return undefined;
  const text = splitChain(sample.text).steps[marked.step];
  return marked.text === undefined || marked.text === text ? marked : undefined;
}
