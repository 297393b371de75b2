/**
 * Two pre-tokenizers that @huggingface/tokenizers 0.2.0 computes otherwise than the reference (huggingface/tokenizers,
 * Rust), written in terms of its Split, whose patterns are right. Found by the parity test over texts of many scripts
 * (test/parity/tokenizers.test.ts):
 *
 * - Digits takes ASCII digits for digits (\d); the reference takes what Unicode calls numeric (char::is_numeric: Nd, Nl
 *   and No).
 * - ByteLevel's own pattern has JavaScript's \s, which has U+FEFF and lacks U+0085; the reference has Unicode's
 *   White_Space.
 */
import { isJsonObject } from './files';

/** The `pre_tokenizer` of a tokenizer.json, such that the library cuts texts as the reference does. */
export function faithfulPreTokenizer(given: unknown): unknown {
  if (!isJsonObject(given)) return given;
  if (given.type === 'Sequence' && Array.isArray(given.pretokenizers))
    return { ...given, pretokenizers: given.pretokenizers.map(faithfulPreTokenizer) };
  if (given.type === 'Digits') return split(given.individual_digits === true ? '\\p{N}' : '\\p{N}+');
  // With a prefix space the library puts that first and then cuts, which a Split before it could not.
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
