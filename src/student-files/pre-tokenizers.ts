/**
 * Two pre-tokenizers that @huggingface/tokenizers 0.2.0 implements differently from the reference
 * (huggingface/tokenizers, Rust), expressed by its Split, which is correct. Found by the parity test over texts of many
 * scripts (test/parity/tokenizers.test.ts):
 *
 * - Digits matches ASCII digits (\d); the reference matches Unicode's numeric characters (char::is_numeric: Nd, Nl
 *   and No).
 * - ByteLevel's own pattern uses JavaScript's \s, which includes U+FEFF and lacks U+0085; the reference uses Unicode's
 *   White_Space.
 */
import { isJsonObject } from './files';

/** Rewrites the `pre_tokenizer` of a tokenizer.json so that the library splits texts like the reference. */
export function faithfulPreTokenizer(given: unknown): unknown {
  if (!isJsonObject(given)) return given;
  if (given.type === 'Sequence' && Array.isArray(given.pretokenizers))
    return { ...given, pretokenizers: given.pretokenizers.map(faithfulPreTokenizer) };
  if (given.type === 'Digits') return split(given.individual_digits === true ? '\\p{N}' : '\\p{N}+');
  // With a prefix space the library adds that first and then splits, which a preceding Split could not.
  if (given.type === 'ByteLevel' && given.use_regex !== false && given.add_prefix_space !== true)
    return { type: 'Sequence', pretokenizers: [split(gpt2Pattern), { ...given, use_regex: false }] };
  return given;
}

/** GPT-2's, as in the reference's pre_tokenizers/byte_level.rs. */
const gpt2Pattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

const split = (pattern: string) => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});
