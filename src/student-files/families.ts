/**
 * The families of students that the embedded engine computes, each told by what it has of its own: a new family is an
 * entry here. Rules and defaults are those of transformers' config classes (models/<family>/configuration_*.py).
 */
import type { JsonObject } from './files';
import type { LayerSpec } from './layer-spec';

/** A number of config.json; `absent` where it is not there. */
type ReadNumber = (field: string, absent: number, kind?: 'size' | 'count' | 'real') => number;

/** What can differ from layer to layer. */
type LayerRule = (json: JsonObject, layer: number, read: ReadNumber) => boolean;

export interface Family {
  /** transformers' class of the causal model. */
  architecture: string;
  /** What stands for fields that config.json leaves out; 0 = follows from other fields. */
  absent: { kvHeads: number; headDim: number; positions: number; window: number; theta: number; tied: boolean };
  /** What all of its layers compute. */
  layer: Omit<LayerSpec, 'rope' | 'window'>;
  /** The field that names the activation, and its names for this one; where it is absent, the first one stands. */
  activation: { field: string; names: readonly string[] };
  /** Where the norms of a layer stand under `model.layers.<i>.`. */
  norms: { inputNorm: string; attentionOutputNorm?: string; mlpNorm: string; mlpOutputNorm?: string };
  /** What a norm's weight lacks of the factor that it stands for. */
  normOffset: number;
  /** Whether a layer attends within `sliding_window`, where `layer_types` does not say so. */
  attendsWithin: LayerRule;
  /** Whether a layer rotates its heads. */
  rotates: LayerRule;
  /** The base of the rotary table that layers within a window have for themselves, by its field. */
  localTheta: { field: string; absent: number } | null;
  /** Factor on the embeddings. */
  embedScale(hiddenSize: number): number;
  /** The attention's scores are divided by the root of this field, if there is one, else of the width of a head. */
  scaleField: { field: string; absent: number } | null;
  /** Fields that would change what is computed, with the only values that do not. */
  plain: Record<string, readonly unknown[]>;
  gguf: GgufFamily;
}

/** How llama.cpp has it. */
export interface GgufFamily {
  architecture: string;
  /** The two halves of each head of q and k lie interleaved. */
  interleaved: boolean;
  /** It keeps `attention.sliding_window`; for others, texts end with the window. */
  windows: boolean;
  /** What config.json says beside what all have. */
  fields(sizes: { headDim: number; layers: number; hiddenSize: number; heads: number }): JsonObject;
}

const never: LayerRule = () => false;

/** Llama's layers are what most others vary. */
const llama: Family = {
  architecture: 'LlamaForCausalLM',
  absent: { kvHeads: 0, headDim: 0, positions: 2048, window: 4096, theta: 10000, tied: false },
  layer: { qkvBias: false, headNorm: false, outputNorms: false, activation: 'silu' },
  activation: { field: 'hidden_act', names: ['silu', 'swish'] },
  norms: { inputNorm: 'input_layernorm', mlpNorm: 'post_attention_layernorm' },
  normOffset: 0,
  attendsWithin: never,
  rotates: () => true,
  localTheta: null,
  embedScale: () => 1,
  scaleField: null,
  // transformers' attention_bias also gives the output projection a bias.
  plain: { attention_bias: [false], mlp_bias: [false], partial_rotary_factor: [1] },
  gguf: {
    architecture: 'llama',
    interleaved: true,
    windows: false,
    fields: () => ({ mlp_bias: false }),
  },
};

const qwen3: Family = {
  ...llama,
  architecture: 'Qwen3ForCausalLM',
  absent: { ...llama.absent, kvHeads: 32, headDim: 128, positions: 32768 },
  layer: { ...llama.layer, headNorm: true },
  attendsWithin: (json, layer, read) =>
    json.use_sliding_window === true && layer >= read('max_window_layers', 28, 'count'),
  gguf: {
    architecture: 'qwen3',
    interleaved: false,
    windows: false,
    fields: () => ({ use_sliding_window: false }),
  },
};

export const families = {
  llama,
  qwen2: {
    ...qwen3,
    architecture: 'Qwen2ForCausalLM',
    absent: { ...qwen3.absent, headDim: 0 },
    layer: { ...llama.layer, qkvBias: true },
    plain: { mlp_bias: [false], partial_rotary_factor: [1] }, // q, k and v have biases whatever attention_bias says
    gguf: { ...qwen3.gguf, architecture: 'qwen2' },
  },
  qwen3,
  mistral: {
    ...llama,
    architecture: 'MistralForCausalLM',
    absent: { ...llama.absent, kvHeads: 8, positions: 131072 },
    attendsWithin: (json) => json.sliding_window !== null,
  },
  gemma3_text: {
    ...llama,
    architecture: 'Gemma3ForCausalLM',
    absent: { kvHeads: 4, headDim: 256, positions: 131072, window: 4096, theta: 1e6, tied: true },
    layer: { qkvBias: false, headNorm: true, outputNorms: true, activation: 'gelu_tanh' },
    activation: { field: 'hidden_activation', names: ['gelu_pytorch_tanh'] },
    norms: {
      inputNorm: 'input_layernorm',
      attentionOutputNorm: 'post_attention_layernorm',
      mlpNorm: 'pre_feedforward_layernorm',
      mlpOutputNorm: 'post_feedforward_layernorm',
    },
    normOffset: 1,
    attendsWithin: (_json, layer, read) => (layer + 1) % read('sliding_window_pattern', 6) !== 0,
    localTheta: { field: 'rope_local_base_freq', absent: 10000 },
    embedScale: Math.sqrt,
    scaleField: { field: 'query_pre_attn_scalar', absent: 256 },
    plain: {
      ...llama.plain,
      attn_logit_softcapping: [null],
      final_logit_softcapping: [null],
      use_bidirectional_attention: [false],
    },
    gguf: {
      architecture: 'gemma3',
      interleaved: false,
      windows: true,
      // llama.cpp scales the scores by the width of a head but for the 27B model (gemma3.cpp).
      fields: ({ layers, hiddenSize, heads, headDim }) => ({
        query_pre_attn_scalar: layers === 62 ? hiddenSize / heads : headDim,
      }),
    },
  },
  smollm3: {
    ...llama,
    architecture: 'SmolLM3ForCausalLM',
    absent: { ...llama.absent, kvHeads: 4, positions: 32768, theta: 2e6, tied: true },
    // Every fourth layer rotates nothing (no_rope_layers has a 0 there).
    rotates: (json, layer, read) =>
      Array.isArray(json.no_rope_layers)
        ? json.no_rope_layers[layer] !== 0
        : (layer + 1) % read('no_rope_layer_interval', 4) !== 0,
    gguf: { ...llama.gguf, architecture: 'smollm3', fields: () => ({ mlp_bias: false, use_sliding_window: false }) },
  },
} satisfies Record<string, Family>;

export type ModelType = keyof typeof families;
export const modelTypes = Object.keys(families) as ModelType[];
export const familyOf = (type: ModelType): Family => families[type];
