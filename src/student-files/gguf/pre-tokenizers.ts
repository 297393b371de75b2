/**
 * How byte-level tokenizers cut texts before they merge, by the names that GGUF has for it (llama-vocab.cpp in
 * llama.cpp), as tokenizer.json says it for the models in question.
 */
import type { JsonObject } from '../files';

export interface PreTokenizer {
  /** Names under which it goes; the first one is written. */
  names: string[];
  preTokenizer: JsonObject;
  normalizer?: JsonObject;
  /** Whole tokens of the vocabulary are taken without merging (Llama 3). */
  ignoreMerges?: boolean;
  /** Whether a text begins with the beginning-of-text token where the file does not say. */
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

/** OpenAI's pattern of GPT-4 with as many digits at a time as `digits` says, which Llama 3 and Qwen took over. */
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
