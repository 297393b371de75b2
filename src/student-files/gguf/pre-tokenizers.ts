/**
 * Pre-tokenizers of byte-level BPE: GGUF's names for them (llama-vocab.cpp in llama.cpp), and the equivalent in
 * tokenizer.json.
 */
import type { JsonObject } from '../files';

export interface PreTokenizer {
  /** Its names; the first one is written. */
  names: string[];
  preTokenizer: JsonObject;
  normalizer?: JsonObject;
  /** Complete tokens of the vocabulary are used without merging (Llama 3). */
  ignoreMerges?: boolean;
  /** Default for whether a text begins with the beginning-of-text token. */
  addsBos?: boolean;
}

const split = (pattern: string): JsonObject => ({
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
  ],
});
const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };

/** OpenAI's pattern of GPT-4 with the digit groups given by `digits`, adopted by Llama 3 and Qwen. */
const words = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}` +
  '| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

export const preTokenizers: PreTokenizer[] = [
  { names: ['gpt-2'], preTokenizer: byteLevel },
  {
    names: ['smollm', 'starcoder', 'refact'],
    preTokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel] },
  },
  { names: ['qwen2', 'deepseek-r1-qwen'], preTokenizer: split(words('\\p{N}')), normalizer: { type: 'NFC' } },
  {
    names: ['llama-bpe', 'llama3', 'llama-v3'],
    preTokenizer: split(words('\\p{N}{1,3}')),
    ignoreMerges: true,
    addsBos: true,
  },
];
