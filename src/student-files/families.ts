/**
 * The families of students that the embedded engine supports, each described by its differences: a new family is an
 * entry here. Rules and defaults follow transformers' config classes (models/<family>/configuration_*.py).
 */
import type { JsonObject } from './files';
import type { LayerSpec } from './layer-spec';

/** A number of config.json, or `absent`. */
type ReadNumber = (field: string, absent: number, kind?: 'size' | 'count' | 'real') => number;

/** Properties that can differ between layers. */
type LayerRule = (json: JsonObject, layer: number, read: ReadNumber) => boolean;

export interface Family {
  /** transformers' class of the causal model. */
  architecture: string;
  /** Defaults of fields missing in config.json; 0 = derived from other fields. */
  absent: { kvHeads: number; headDim: number; positions: number; window: number; theta: number; tied: boolean };
  /** Properties of all its layers. */
  layer: Omit<LayerSpec, 'rope' | 'window'>;
  /** The field of the activation, and its names for this one; the first is the default. */
  activation: { field: string; names: readonly string[] };
  /** Names of a layer's norms under `model.layers.<i>.`. */
  norms: { inputNorm: string; attentionOutputNorm?: string; mlpNorm: string; mlpOutputNorm?: string };
  /** The difference between a norm's factor and its stored weight. */
  normOffset: number;
  /** Whether a layer has windowed attention (`sliding_window`), if `layer_types` is absent. */
  attendsWithin: LayerRule;
  /** Whether a layer rotates its heads. */
  rotates: LayerRule;
  /** The field with the rotary base of windowed layers, if they have their own table. */
  localTheta: { field: string; absent: number } | null;
  /** Factor of the embeddings. */
  embedScale(hiddenSize: number): number;
  /** The attention scores are divided by the root of this field, if there is one, else of the head size. */
  scaleField: { field: string; absent: number } | null;
  /** Fields that would change the computation, with the only supported values. */
  plain: Record<string, readonly unknown[]>;
  gguf: GgufFamily;
}

/** llama.cpp's conventions for it. */
interface GgufFamily {
  architecture: string;
  /** The two halves of each head of q and k are interleaved. */
  interleaved: boolean;
  /** It supports `attention.sliding_window`; for others, texts are limited to the window. */
  windows: boolean;
  /** Fields of config.json besides those that all families have. */
  fields(sizes: { headDim: number; layers: number; hiddenSize: number; heads: number }): JsonObject;
}

const never: LayerRule = () => false;

/** Llama's layers, which most other families vary. */
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

const families = {
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
      // llama.cpp scales the scores by the head size except for the 27B model (gemma3.cpp).
      fields: ({ layers, hiddenSize, heads, headDim }) => ({
        query_pre_attn_scalar: layers === 62 ? hiddenSize / heads : headDim,
      }),
    },
  },
  smollm3: {
    ...llama,
    architecture: 'SmolLM3ForCausalLM',
    absent: { ...llama.absent, kvHeads: 4, positions: 32768, theta: 2e6, tied: true },
    // Every fourth layer has no rotation (no_rope_layers has a 0 there).
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
