import { splitChain } from '../chain/split';
import type { MarkedStep } from '../runs/decisions';
import type { AnswerRecord } from '../runs/records';

/**
 * The mark, if it concerns one of these answers: decisions are copied from run to run, and a later student may have
 * answered differently.
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
