import { conciseChain } from '../../chain/concise';
import type { SftSettings } from '../../config/experiment';
import type { Student } from '../../engine/port';
import { chainTokens } from '../completions';
import type { Context } from '../context';
import { trainOnChains } from './sft';

/** Concise SFT: the plain question answered by the teacher's chain, cut to the sentences that compute. */
export function sftConcise(context: Context, student: Student, settings: SftSettings): Promise<string> {
  const { tokenizer } = context;
  return trainOnChains(context, student, {
    stage: 'sftConcise',
    settings,
    example: ({ chain, prompt }) =>
      chain && {
        prompt,
        completion: chainTokens(tokenizer, conciseChain(chain)),
      },
  });
}
