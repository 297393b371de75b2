/** A decoder's architecture from Hugging Face's config.json. */
import { UserError } from '../errors';
import { type ConfigSource, maxLayers, number, refuseField, requireField } from './config-fields';
import { type RopeSettings, ropesOf } from './config-rope';
import { type Family, familyOf, type ModelType, modelTypes } from './families';
import { isJsonObject, type JsonObject } from './files';
import type { LayerSpec } from './layer-spec';

export interface ModelConfig {
  modelType: ModelType;
  hiddenSize: number;
  layers: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  intermediateSize: number;
  vocabSize: number;
  /** The settings of the rotary tables that the layers refer to. */
  ropes: RopeSettings[];
  normEps: number;
  /** The difference between a norm's factor and its stored weight (Gemma: 1). */
  normOffset: number;
  /** Factor of the embeddings. */
  embedScale: number;
  /** Factor of the attention scores. */
  attentionScale: number;
  /** The output projection is the embedding table. */
  tied: boolean;
  /** The computation of each layer. */
  layerSpecs: LayerSpec[];
  /** The longest sequence that the model was made for. */
  maxPositions: number;
  bosId: number | null;
  eosIds: number[];
  padId: number | null;
  /** The original JSON including unknown fields, for writing it back. */
  json: JsonObject;
}

/**
 * Parses the content of config.json. `file` is used in messages only.
 * @throws UserError that names the field when the architecture is not supported
 */
export function parseModelConfig(json: JsonObject, file?: string): ModelConfig {
  const source: ConfigSource = { json, file };
  if (json.quantization_config != null) refuseQuantised(source);
  const modelType = modelTypes.find((type) => type === json.model_type);
  if (!modelType) {
    const code = typeof json.model_type === 'string' ? 'architecture' : 'checkpoint';
    return refuseField(source, 'model_type', `one of ${modelTypes.join(', ')} (SmolLM2 is a llama)`, code);
  }
  const family = familyOf(modelType);
  const { absent } = family;
  refuseUnsupported(source, family);

  const hiddenSize = number(source, 'hidden_size');
  const heads = number(source, 'num_attention_heads');
  const kvHeads = number(source, 'num_key_value_heads', absent.kvHeads || heads);
  const headDim = number(source, 'head_dim', absent.headDim || hiddenSize / heads);
  if (!Number.isInteger(headDim)) refuseField(source, 'hidden_size', `a multiple of num_attention_heads (${heads})`);
  if (headDim % 2 !== 0) refuseField(source, 'head_dim', 'even, for rotary embedding');
  if (heads % kvHeads !== 0) refuseField(source, 'num_key_value_heads', `a divisor of num_attention_heads (${heads})`);
  const maxPositions = number(source, 'max_position_embeddings', absent.positions);
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
    ropes: ropesOf(source, maxPositions, family),
    normEps: number(source, 'rms_norm_eps', 1e-6, 'real'),
    normOffset: family.normOffset,
    embedScale: family.embedScale(hiddenSize),
    attentionScale: attentionScale(source, family, headDim),
    tied: (json.tie_word_embeddings ?? absent.tied) === true,
    layerSpecs: layerSpecsOf(source, family, layers, maxPositions),
    maxPositions,
    bosId: tokenIds(source, 'bos_token_id')[0] ?? null,
    eosIds: tokenIds(source, 'eos_token_id'),
    padId: tokenIds(source, 'pad_token_id')[0] ?? null,
    json,
  };
}

function attentionScale(source: ConfigSource, { scaleField }: Family, headDim: number): number {
  return 1 / Math.sqrt(scaleField ? number(source, scaleField.field, scaleField.absent, 'real') : headDim);
}

function layersOf(source: ConfigSource): number {
  const layers = number(source, 'num_hidden_layers');
  return layers > maxLayers ? refuseField(source, 'num_hidden_layers', `at most ${maxLayers}`) : layers;
}

function refuseUnsupported(source: ConfigSource, { activation, plain }: Family): void {
  const { json } = source;
  requireField(source, activation.field, [...activation.names], activation.names[0]);
  for (const [field, values] of Object.entries(plain)) requireField(source, field, [...values], values[0]);
  for (const field of ['num_experts', 'num_local_experts', 'n_routed_experts'])
    if (json[field] != null && json[field] !== 0)
      refuseField(source, field, 'absent: mixtures are not computed', 'architecture');
}

function refuseQuantised({ json, file }: ConfigSource): never {
  const { quant_method: method } = isJsonObject(json.quantization_config) ? json.quantization_config : {};
  throw new UserError(`The weights are quantized (quantization_config${method ? `, ${String(method)}` : ''})`, {
    file,
    remedy:
      'Use the model that they were made from: the same name without -bnb-4bit, -AWQ, ' +
      '-GPTQ, -FP8 or similar. Or a GGUF file, which may be quantized.',
    code: 'checkpoint',
  });
}

/** The computation of each layer, by the rules of transformers' config classes. */
function layerSpecsOf(source: ConfigSource, family: Family, layers: number, maxPositions: number): LayerSpec[] {
  const { json } = source;
  const read = (field: string, absent: number, kind?: 'size' | 'count' | 'real') => number(source, field, absent, kind);
  const types = layerTypes(source);
  const within = (i: number) => (types ? types[i] === windowed : family.attendsWithin(json, i, read));
  return Array.from({ length: layers }, (_, i): LayerSpec => {
    const window = within(i) ? read('sliding_window', family.absent.window) : maxPositions;
    const rope = within(i) && family.localTheta ? 1 : 0;
    return {
      ...family.layer,
      rope: family.rotates(json, i, read) ? rope : null,
      window: window < maxPositions ? window : null,
    };
  });
}

const windowed = 'sliding_attention';

/** The attention type of each layer, if the config lists it. */
function layerTypes(source: ConfigSource): unknown[] | null {
  const { layer_types: types } = source.json;
  if (!Array.isArray(types)) return null;
  if (types.some((type) => type !== 'full_attention' && type !== windowed))
    refuseField(source, 'layer_types', `a list of full_attention and ${windowed}`, 'architecture');
  return types;
}

/** A token id, a list of ids, or none. */
function tokenIds(source: ConfigSource, field: string): number[] {
  const value = source.json[field];
  if (value == null) return [];
  const ids = Array.isArray(value) ? value : [value];
  if (ids.some((id) => !Number.isSafeInteger(id))) refuseField(source, field, 'a token id or a list of them');
  // -1 stands for "none" in some files.
  return (ids as number[]).filter((id) => id >= 0);
}

/** The JSON for config.json, with the dtype of the weights under both of its names. */
export function modelConfigJson(config: ModelConfig, dtype: 'float32' | 'float16' | 'bfloat16'): JsonObject {
  const json: JsonObject = { ...config.json };
  if ('dtype' in json) json.dtype = dtype;
  if ('torch_dtype' in json || !('dtype' in json)) json.torch_dtype = dtype;
  return json;
}

/** @throws UserError when a sequence of `length` tokens is longer than the model was made for */
export function checkLength(config: ModelConfig, length: number): void {
  if (length > config.maxPositions)
    throw new UserError(
      `A sequence of ${length} tokens is longer than the student's ${config.maxPositions} positions`,
      {
        remedy:
          'Shorten the chains or the budget of new tokens, or choose a student with more max_position_embeddings.',
        code: 'config',
      },
    );
}

/** @throws UserError when an id is not in the vocabulary, for which a kernel would access other memory */
export function checkTokens(config: ModelConfig, tokens: ArrayLike<number>): void {
  for (let i = 0; i < tokens.length; i++)
    if (!(tokens[i] >= 0 && tokens[i] < config.vocabSize))
      throw new Error(`Token id ${tokens[i]} is outside of the vocabulary of ${config.vocabSize}`);
}
