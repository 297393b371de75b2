/**
 * Tokenizers of SentencePiece's BPE (Llama 2, TinyLlama, Mistral 7B): GGUF gives their tokens scores
 * (tokenizer.ggml.model "llama"), tokenizer.json merges.
 */
import { isJsonObject, type JsonObject } from '../files';

/** How such a tokenizer writes a space. */
const space = '\u2581';

/**
 * Every way to make a token of two others, the token with the highest score first, as transformers converts such models
 * (generate_merges in convert_slow_tokenizer.py). `scores` of the tokens that are made of others; `has` says what is a
 * token.
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
 * The scores that `mergesOf` makes the same merges of: of a token, how early it is made; lower ones of all other
 * tokens. In which order the ways to make one token come does not matter: versions of transformers differ in it. Null
 * where the merges are not all ways to make their tokens, or those of one token lie apart: such BPE has no form with
 * scores.
 */
export function scoresOf(tokens: readonly string[], merges: readonly string[]): number[] | null {
  const made = new Map<string, number>();
  for (const [rank, merge] of merges.entries()) {
    const token = tokenOf(merge);
    if (!made.has(token)) made.set(token, -rank);
  }
  const scores = new Map(tokens.map((token) => [token, made.get(token) ?? -merges.length]));
  const again = mergesOf(scores, (token) => scores.has(token));
  if (again.length !== merges.length) return null;
  const ways = new Set(again);
  const same = again.every((merge, i) => tokenOf(merge) === tokenOf(merges[i]) && ways.delete(merges[i]));
  if (!same) return null;
  return [...scores.values()];
}

const tokenOf = (merge: string) => merge.replace(' ', '');

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

/** Metaspace's ways to put a space before a text. */
const schemes = ['never', 'first', 'always'] as const;

/**
 * When transformers 5 puts a space before a text, as it writes such tokenizers: by a pre-tokenizer. Null where the
 * texts are spelled otherwise.
 */
export function prependScheme({ normalizer, pre_tokenizer: cutting }: JsonObject): (typeof schemes)[number] | null {
  if (normalizer != null || !isJsonObject(cutting)) return null;
  const { type, replacement, split, prepend_scheme: scheme } = cutting;
  if (type !== 'Metaspace' || replacement !== space || split !== false) return null;
  return schemes.find((one) => one === scheme) ?? null;
}
