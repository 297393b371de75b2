/**
 * Tokenizers of SentencePiece's BPE (Llama 2, TinyLlama, Mistral 7B): GGUF gives their tokens scores (tokenizer.ggml.model "llama"),
 * tokenizer.json merges.
 */
import type { JsonObject } from '../files';

/** How such a tokenizer writes a space. */
const space = '\u2581';

/**
 * Every way to make a token of two others, the token with the highest score first, as transformers converts such models (generate_merges
 * in convert_slow_tokenizer.py). `scores` of the tokens that are made of others; `has` says what is a token.
 */
export function mergesOf(scores: ReadonlyMap<string, number>, has: (token: string) => boolean): string[] {
  const merges: { left: string; right: string; score: number }[] = [];
  for (const [token, score] of scores)
    for (let at = 1; at < token.length; at++) {
      const [left, right] = [token.slice(0, at), token.slice(at)];
      if (has(left) && has(right)) merges.push({ left, right, score });
    }
  merges.sort((a, b) => b.score - a.score || b.left.length - a.left.length || b.right.length - a.right.length);
  return merges.map(({ left, right }) => `${left} ${right}`);
}

/**
 * The scores that `mergesOf` makes the same merges of: of a token, how early it is made; lower ones of all other tokens. Null where the
 * merges are not all ways to make their tokens: such BPE has no form with scores.
 */
export function scoresOf(tokens: readonly string[], merges: readonly string[]): number[] | null {
  const made = new Map<string, number>();
  for (const [rank, merge] of merges.entries()) {
    const token = merge.replace(' ', '');
    if (!made.has(token)) made.set(token, -rank);
  }
  const scores = new Map(tokens.map((token) => [token, made.get(token) ?? -merges.length]));
  const again = mergesOf(scores, (token) => scores.has(token));
  if (again.length !== merges.length || again.some((merge, i) => merge !== merges[i])) return null;
  return [...scores.values()];
}

/** How texts are written before they are merged, and back: a space is put before each, unless `prefix` is false. */
export function spelling(prefix: boolean): { normalizer: JsonObject; decoder: JsonObject } {
  const written: JsonObject = { type: 'Replace', pattern: { String: ' ' }, content: space };
  const decoders: JsonObject[] = [
    { type: 'Replace', pattern: { String: space }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
  ];
  return {
    normalizer: prefix ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: space }, written] } : written,
    decoder: {
      type: 'Sequence',
      decoders: prefix ? [...decoders, { type: 'Strip', content: ' ', start: 1, stop: 0 }] : decoders,
    },
  };
}
