/**
 * Byte-level byte-pair encoding (Sennrich et al., arXiv 1508.07909; bytes as in GPT-2): merges learned from a text, and
 * the `tokenizer.json` that @huggingface/tokenizers and PyPI `tokenizers` load.
 */

/** Words, digits one by one (as Qwen2 does) and punctuation, each with the space ahead of it. */
export const pattern = ' ?\\p{L}+| ?\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

/** GPT-2's printable stand-ins for the 256 bytes. */
export const byteAlphabet: string[] = (() => {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
})();

/**
 * Learns merges until there are `size` tokens: 256 bytes, the merged ones, and `reserved` others. Ties go to the pair
 * met first.
 */
export function learnMerges(texts: Iterable<string>, size: number, reserved: number): [string, string][] {
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const [word] of text.matchAll(new RegExp(pattern, 'gu'))) counts.set(word, (counts.get(word) ?? 0) + 1);
  const words = [...counts].map(([word, count]) => ({
    count,
    symbols: [...new TextEncoder().encode(word)].map((byte) => byteAlphabet[byte]),
  }));
  const merges: [string, string][] = [];
  while (merges.length < size - 256 - reserved) {
    const pairs = new Map<string, number>();
    for (const { symbols, count } of words)
      for (let i = 1; i < symbols.length; i++) {
        const pair = `${symbols[i - 1]} ${symbols[i]}`;
        pairs.set(pair, (pairs.get(pair) ?? 0) + count);
      }
    let best = '';
    for (const [pair, count] of pairs) if (best === '' || count > pairs.get(best)!) best = pair;
    if (best === '') break;
    const [left, right] = best.split(' ');
    merges.push([left, right]);
    for (const { symbols } of words)
      for (let i = symbols.length - 1; i > 0; i--)
        if (symbols[i - 1] === left && symbols[i] === right) symbols.splice(i - 1, 2, left + right);
  }
  return merges;
}

/** The content of tokenizer.json. Special tokens take the first ids, then the bytes, then the merged tokens. */
export function tokenizerJson(merges: readonly (readonly [string, string])[], special: readonly string[]) {
  const tokens = [...special, ...byteAlphabet, ...new Set(merges.map(([left, right]) => left + right))];
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }, byteLevel],
    },
    post_processor: byteLevel,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}
