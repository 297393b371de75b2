/** A server's completions in the format of the port. */
import type { Draft } from '../../engine-data/sampling';
import type { SampledSequence } from './wire';

/** For a prompt without an answer yet. */
export const emptyDraft = (prompt: number, completion: number): Draft => ({
  prompt,
  completion,
  tokens: [],
  logProbs: [],
  finished: false,
});

/** Some servers omit the end token; it is added here, and scored later. */
export function draftOf(
  { tokens, logProbs, stopped }: SampledSequence,
  { eosIds, ...place }: { prompt: number; completion: number; eosIds: readonly number[] },
): Draft {
  const ends = eosIds.includes(tokens.at(-1) ?? -1);
  const whole = stopped && !ends ? [...tokens, eosIds[0]] : tokens;
  const said = logProbs && whole.length === logProbs.length ? Array.from(logProbs) : null;
  return { ...place, tokens: whole, logProbs: said ?? whole.map(() => Number.NaN), finished: stopped || ends };
}
