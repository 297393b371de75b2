/** Completions of a server as the port shows them. */
import type { Draft } from '../../engine-data/sampling';
import type { SampledSequence } from './wire';

/** Of a prompt that is not answered yet. */
export const emptyDraft = (prompt: number, completion: number): Draft => ({
  prompt,
  completion,
  tokens: [],
  logProbs: [],
  finished: false,
});

/** Some servers keep the end token to themselves; it is put back, and scored later. */
export function draftOf(
  { tokens, logProbs, stopped }: SampledSequence,
  { eosIds, ...place }: { prompt: number; completion: number; eosIds: readonly number[] },
): Draft {
  const ends = eosIds.includes(tokens.at(-1) ?? -1);
  const whole = stopped && !ends ? [...tokens, eosIds[0]] : tokens;
  const said = logProbs && whole.length === logProbs.length ? Array.from(logProbs) : null;
  return { ...place, tokens: whole, logProbs: said ?? whole.map(() => Number.NaN), finished: stopped || ends };
}
