/** Tiny random students with a byte-level tokenizer, and their GGUF metadata. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ModelConfig, parseModelConfig } from '../../../student-files/config';
import { tokenizerFiles } from '../../../student-files/gguf/tokenizer';
import type { Metadata } from '../../../student-files/gguf/types';
import type { MetadataField } from '../../../student-files/gguf/write';
import { ofFamily } from '../../../student-files/testing/tiny';
import { saveStudent } from '../../hf-folder';
import type { Model } from '../../transformer';

/** Every byte as a character, in GPT-2's encoding. */
const byteTokens = (() => {
  let next = 256;
  const plain = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  return Array.from({ length: 256 }, (_, b) => String.fromCodePoint(plain(b) ? b : next++));
})();

export const tokens = [...byteTokens, 'Ġt', 'he', 'Ġthe', '<|end|>', '<|im_end|>', '[PAD261]'];
export const vocabulary = (pre = 'qwen2'): MetadataField[] => [
  ['tokenizer.ggml.model', 'string', 'gpt2'],
  ['tokenizer.ggml.pre', 'string', pre],
  ['tokenizer.ggml.tokens', 'string', tokens],
  ['tokenizer.ggml.token_type', 'i32', [...Array(259).fill(1), 3, 3, 5]],
  ['tokenizer.ggml.merges', 'string', ['Ġ t', 'h e', 'Ġt he']],
  ['tokenizer.ggml.eos_token_id', 'u32', 259],
  ['tokenizer.ggml.eot_token_id', 'u32', 260],
  ['tokenizer.ggml.bos_token_id', 'u32', 259],
  ['tokenizer.ggml.padding_token_id', 'u32', 259],
];
export const metadata = (fields: MetadataField[]): Metadata => new Map(fields.map(([key, , value]) => [key, value]));

/** Llama 3.1's context extension, whose effect only shows with its base frequency. */
export const llama3 = {
  rope_theta: 500000,
  rope_scaling: {
    rope_type: 'llama3',
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  },
};

export function tinyConfig(type: ModelConfig['modelType'], more: object = {}): ModelConfig {
  return parseModelConfig({
    model_type: type,
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: type === 'qwen3' ? 32 : 16,
    intermediate_size: 96,
    vocab_size: tokens.length,
    max_position_embeddings: 128,
    rope_theta: 10000,
    tie_word_embeddings: type !== 'llama',
    use_sliding_window: false,
    sliding_window: null,
    eos_token_id: 259,
    ...ofFamily[type],
    ...more,
  });
}

/** Writes a tiny student as a Hugging Face folder. */
export function writeTinyFolder(folder: string, model: Model, fields = vocabulary()): string {
  const { tokenizer, tokenizerConfig } = tokenizerFiles(metadata(fields), 'tiny.gguf');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig));
  saveStudent(folder, model);
  return folder;
}
