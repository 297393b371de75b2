/**
 * Tokenizers of SentencePiece's BPE (Llama 2, TinyLlama, Mistral 7B): GGUF stores scores of tokens
 * (tokenizer.ggml.model "llama"), tokenizer.json stores merges.
 */
import { isJsonObject, type JsonObject } from '../files';

/** This tokenizer's character for a space. */
const space = '\u2581';

/**
 * All merges of two tokens into a third, the token with the highest score first, as transformers converts such models
 * (generate_merges in convert_slow_tokenizer.py). `scores` are those of merged tokens; `has` is true for tokens.
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
 * Scores from which `mergesOf` gives the same merges: the rank of a token's merge, lower scores for all other tokens.
 * The order among several merges into one token is irrelevant, as versions of transformers differ in it. Null if merges
 * are missing, or those into one token are not adjacent: such BPE cannot be expressed by scores.
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

/** How texts are normalized before merging, and back: a space is prepended, unless `prefix` is false. */
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

/** Metaspace's options to prepend a space. */
const schemes = ['never', 'first', 'always'] as const;

/**
 * When transformers 5 prepends a space for such tokenizers, by a pre-tokenizer. Null if texts are normalized otherwise.
 */
export function prependScheme({ normalizer, pre_tokenizer: cutting }: JsonObject): (typeof schemes)[number] | null {
  if (normalizer != null || !isJsonObject(cutting)) return null;
  const { type, replacement, split, prepend_scheme: scheme } = cutting;
  if (type !== 'Metaspace' || replacement !== space || split !== false) return null;
  return schemes.find((one) => one === scheme) ?? null;
}
