/** A decoder's architecture as Hugging Face's config.json states it. */
import { UserError } from '../errors';
import { maxLayers, number, refuseField, requireField, type Source } from './config-fields';
import { type RopeScaling, ropeOf } from './config-rope';
import { isJsonObject, type JsonObject } from './files';
import type { LayerSpec } from './layer-spec';

export interface ModelConfig {
  modelType: 'llama' | 'qwen2' | 'qwen3' | 'mistral';
  hiddenSize: number;
  layers: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  intermediateSize: number;
  vocabSize: number;
  ropeTheta: number;
  ropeScaling: RopeScaling | null;
  normEps: number;
  /** The output projection is the embedding table itself. */
  tied: boolean;
  /** What each layer computes. */
  layerSpecs: LayerSpec[];
  /** The longest sequence that is computed as the model means it. */
  maxPositions: number;
  bosId: number | null;
  eosIds: number[];
  padId: number | null;
  /** The JSON it was read from, unknown fields and all; this is what is written back. */
  json: JsonObject;
}

const modelTypes = ['llama', 'qwen2', 'qwen3', 'mistral'] as const;

const plain: LayerSpec = { qkvBias: false, headNorm: false };
const layerSpec: Record<ModelConfig['modelType'], LayerSpec> = {
  llama: plain,
  qwen2: { qkvBias: true, headNorm: false },
  qwen3: { qkvBias: false, headNorm: true },
  mistral: plain,
};

/** What transformers' config classes take for fields that config.json leaves out; 0 = follows from other fields. */
const absent = {
  llama: { kvHeads: 0, headDim: 0, maxPositions: 2048 },
  qwen2: { kvHeads: 32, headDim: 0, maxPositions: 32768 },
  qwen3: { kvHeads: 32, headDim: 128, maxPositions: 32768 },
  mistral: { kvHeads: 8, headDim: 0, maxPositions: 131072 },
};

/**
 * Reads config.json's content. `file` is for messages only.
 * Throws a UserError that names the field when the architecture is not one that is computed here, rather than computing
 * another.
 */
export function parseModelConfig(json: JsonObject, file?: string): ModelConfig {
  const source: Source = { json, file };
  const modelType = modelTypes.find((type) => type === json.model_type);
  if (!modelType) return refuseField(source, 'model_type', `one of ${modelTypes.join(', ')} (SmolLM2 is a llama)`);
  refuseUnsupported(source, modelType);

  const hiddenSize = number(source, 'hidden_size');
  const heads = number(source, 'num_attention_heads');
  const kvHeads = number(source, 'num_key_value_heads', absent[modelType].kvHeads || heads);
  const headDim = number(source, 'head_dim', absent[modelType].headDim || hiddenSize / heads);
  if (!Number.isInteger(headDim)) refuseField(source, 'hidden_size', `a multiple of num_attention_heads (${heads})`);
  if (headDim % 2 !== 0) refuseField(source, 'head_dim', 'even, for rotary embedding');
  if (heads % kvHeads !== 0) refuseField(source, 'num_key_value_heads', `a divisor of num_attention_heads (${heads})`);
  const maxPositions = positionsOf(source, modelType);

  const layers = layersOf(source);
  return {
    modelType,
    hiddenSize,
    layers,
    heads,
    kvHeads,
    headDim,
    intermediateSize: number(source, 'intermediate_size'),
    vocabSize: number(source, 'vocab_size'),
    ...ropeOf(source, maxPositions),
    normEps: number(source, 'rms_norm_eps', 1e-6, 'real'),
    tied: json.tie_word_embeddings === true,
    layerSpecs: Array.from({ length: layers }, () => layerSpec[modelType]),
    maxPositions,
    bosId: tokenIds(source, 'bos_token_id')[0] ?? null,
    eosIds: tokenIds(source, 'eos_token_id'),
    padId: tokenIds(source, 'pad_token_id')[0] ?? null,
    json,
  };
}

function layersOf(source: Source): number {
  const layers = number(source, 'num_hidden_layers');
  return layers > maxLayers ? refuseField(source, 'num_hidden_layers', `at most ${maxLayers}`) : layers;
}

function refuseUnsupported(source: Source, modelType: ModelConfig['modelType']): void {
  const { json } = source;
  requireField(source, 'hidden_act', ['silu', 'swish'], 'silu');
  requireField(source, 'mlp_bias', [false], false);
  // transformers' attention_bias also gives the output projection a bias; Qwen2's class has q, k, v biases whatever it
  // says.
  if (modelType !== 'qwen2') requireField(source, 'attention_bias', [false], false);
  requireField(source, 'partial_rotary_factor', [1], 1);
  for (const field of ['num_experts', 'num_local_experts', 'n_routed_experts'])
    if (json[field] != null && json[field] !== 0) refuseField(source, field, 'absent: mixtures are not computed');
  if (json.quantization_config != null) refuseQuantised(source);
}

function refuseQuantised({ json, file }: Source): never {
  const { quant_method: method } = isJsonObject(json.quantization_config) ? json.quantization_config : {};
  throw new UserError(`The weights are quantised (quantization_config${method ? `, ${String(method)}` : ''})`, {
    file,
    remedy:
      'Take the model that they were made from: the same name without -bnb-4bit, -AWQ, ' +
      '-GPTQ, -FP8 or the like. Or a GGUF file, which may be quantised.',
    code: 'checkpoint',
  });
}

/**
 * The longest sequence. Attention within a window (Mistral, some layers of Qwen) is not computed: a student with one
 * takes sequences that its window sees whole, for which it changes nothing.
 */
function positionsOf(source: Source, modelType: ModelConfig['modelType']): number {
  const positions = number(source, 'max_position_embeddings', absent[modelType].maxPositions);
  return hasWindow(source, modelType) ? Math.min(positions, number(source, 'sliding_window', 4096)) : positions;
}

/** Whether any layer attends within a window, by the rules of transformers' config classes. */
function hasWindow(source: Source, modelType: ModelConfig['modelType']): boolean {
  const { json } = source;
  if (Array.isArray(json.layer_types)) {
    if (json.layer_types.some((type) => type !== 'full_attention' && type !== 'sliding_attention'))
      refuseField(source, 'layer_types', 'a list of full_attention and sliding_attention');
    return json.layer_types.includes('sliding_attention');
  }
  if (modelType === 'llama' || json.sliding_window === null) return false;
  if (modelType === 'mistral') return true;
  const firstLayer = number(source, 'max_window_layers', 28, 'count');
  return json.use_sliding_window === true && firstLayer < number(source, 'num_hidden_layers');
}

/** A token id, a list of them, or none. */
function tokenIds(source: Source, field: string): number[] {
  const value = source.json[field];
  if (value == null) return [];
  const ids = Array.isArray(value) ? value : [value];
  if (ids.some((id) => !Number.isSafeInteger(id))) refuseField(source, field, 'a token id or a list of them');
  // -1 stands for "none" in some files.
  return (ids as number[]).filter((id) => id >= 0);
}

/** The config as JSON for config.json, with the type that the weights are stored in under both of its names. */
export function modelConfigJson(config: ModelConfig, dtype: 'float32' | 'float16' | 'bfloat16'): JsonObject {
  const json: JsonObject = { ...config.json };
  if ('dtype' in json) json.dtype = dtype;
  if ('torch_dtype' in json || !('dtype' in json)) json.torch_dtype = dtype;
  return json;
}

/** Throws a UserError when a sequence of `length` tokens is longer than the model was made for. */
export function checkLength(config: ModelConfig, length: number): void {
  if (length > config.maxPositions)
    throw new UserError(
      `A sequence of ${length} tokens is longer than the student's ${config.maxPositions} positions`,
      {
        remedy:
          'Shorten the chains or the budget of new tokens, or choose a student with ' +
          'more max_position_embeddings (or a wider sliding_window).',
        code: 'config',
      },
    );
}

/** Throws when an id is not one of the vocabulary's: a kernel would read memory that is not the table's. */
export function checkTokens(config: ModelConfig, tokens: ArrayLike<number>): void {
  for (let i = 0; i < tokens.length; i++)
    if (!(tokens[i] >= 0 && tokens[i] < config.vocabSize))
      throw new Error(`Token id ${tokens[i]} is outside of the vocabulary of ${config.vocabSize}`);
}
