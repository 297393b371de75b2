/** Small models and a small tokenizer for tests, as JSON of Hugging Face's files. */
import type { ModelConfig } from '../config';
import type { JsonObject } from '../files';
import type { LayerSpec } from '../layer-spec';

export type TinyType = ModelConfig['modelType'];

/** The config, changed so that its layers compute something else. */
export const withLayers = (config: ModelConfig, changes: Partial<LayerSpec> = {}): ModelConfig => ({
  ...config,
  layerSpecs: config.layerSpecs.map((spec) => ({ ...spec, ...changes })),
});

/** Reveals whether a family is computed correctly: short windows, a layer without rotation. */
export const ofFamily: Partial<Record<TinyType, JsonObject>> = {
  gemma3_text: {
    hidden_activation: 'gelu_pytorch_tanh',
    sliding_window: 4,
    sliding_window_pattern: 2,
    query_pre_attn_scalar: 11,
  },
  smollm3: { no_rope_layers: [1, 0] },
};

/** Students of each family that llama.cpp supports, in its form. */
export const ggufStudents: [type: TinyType, more: JsonObject][] = [
  ['llama', {}],
  ['qwen2', {}],
  ['qwen3', {}],
  ['gemma3_text', { sliding_window_pattern: 6, query_pre_attn_scalar: 16, num_hidden_layers: 6 }],
  ['smollm3', { no_rope_layers: null, num_hidden_layers: 4 }],
];

/** config.json of a two-layer decoder whose sizes are all different, to reveal mixed-up axes. */
export function tinyConfig(modelType: TinyType, changes: JsonObject = {}): JsonObject {
  return {
    architectures: ['TinyForCausalLM'],
    model_type: modelType,
    hidden_act: 'silu',
    hidden_size: 24,
    intermediate_size: 40,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: modelType === 'qwen3' ? 10 : 6,
    vocab_size: 53,
    max_position_embeddings: 512,
    rms_norm_eps: 1e-6,
    rope_theta: 10000,
    sliding_window: null,
    use_sliding_window: false,
    tie_word_embeddings: modelType !== 'mistral',
    bos_token_id: 0,
    eos_token_id: 1,
    torch_dtype: 'float32',
    use_cache: true,
    ...ofFamily[modelType],
    ...changes,
  };
}

/**
 * The characters by which byte-level BPE represents bytes (GPT-2): printable ones unchanged, the others from U+0100 on.
 */
function byteCharacters(): string[] {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}

/** tokenizer.json and tokenizer_config.json of a byte-level BPE with three merges and two special tokens. */
export function tinyTokenizer(): { json: JsonObject; config: JsonObject } {
  const pieces = ['<|endoftext|>', '<|mark|>', ...byteCharacters(), 'St', 'ep', 'Step'];
  const special = (id: number) => ({
    id,
    content: pieces[id],
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  return {
    json: {
      version: '1.0',
      added_tokens: [special(0), special(1)],
      normalizer: null,
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      post_processor: null,
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: {
        type: 'BPE',
        vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
        merges: ['S t', 'e p', 'St ep'],
      },
    },
    config: { eos_token: '<|endoftext|>', clean_up_tokenization_spaces: false },
  };
}
