/**
 * The architecture in GGUF metadata, in terms of config.json (gguf-py/gguf/constants.py in llama.cpp defines the keys).
 */
import { UserError } from '../../errors';
import { usualAttentionFactor } from '../config-rope';
import { familyOf, type ModelType, modelTypes } from '../families';
import type { JsonObject } from '../files';
import { inverseFrequencies } from '../rope';
import type { GgufFile } from './file';
import { refuse, refuseKind } from './types';

/** The first family with that name: Mistral's layers equal Llama's. */
const familyNamed = (architecture: unknown): ModelType | undefined =>
  modelTypes.find((type) => familyOf(type).gguf.architecture === architecture);

const architectures = () => [...new Set(modelTypes.map((type) => familyOf(type).gguf.architecture))].join(', ');

/** The parts of a file that are read here. */
export type GgufFacts = Pick<GgufFile, 'metadata' | 'readFloats' | 'file'> & {
  tensors: ReadonlyMap<string, { shape: readonly number[] }>;
};

/** For what only PyTorch supports. */
const otherwise =
  'The Hugging Face folder of the model can be used with PyTorch: `distillery engine install`, and "backend": "torch".';

/** Other things than models, by `general.type`. */
function refuseOthers({ metadata, file }: GgufFacts): void {
  const type = metadata.get('general.type') ?? 'model';
  if (type === 'model') return;
  const merged = "Merge it into its base with llama.cpp's llama-export-lora, and use the merged model.";
  refuseKind(
    file,
    `contains ${type === 'adapter' ? 'an adapter' : JSON.stringify(type)} instead of a model`,
    type === 'adapter' ? merged : "Use the model's own file, which is larger.",
  );
}

/** One file of a model that llama-gguf-split has written as several. */
function refusePart({ metadata, file }: GgufFacts): void {
  const [part, parts] = ['split.no', 'split.count'].map((name) => Number(metadata.get(name) ?? 0));
  if (parts > 1)
    refuseKind(
      file,
      `is part ${part + 1} of ${parts} of a model`,
      "Merge the parts with llama.cpp's llama-gguf-split --merge, which takes the first of them.",
    );
}

/** The config.json of the same model. @throws UserError for unsupported architectures */
export function configJson(gguf: GgufFacts): JsonObject {
  const { metadata, tensors, file } = gguf;
  refusePart(gguf);
  refuseOthers(gguf);
  const named = metadata.get('general.architecture');
  const modelType = familyNamed(named);
  if (!modelType)
    throw new UserError(`The architecture is ${JSON.stringify(named) ?? 'not named'}`, {
      file,
      remedy: `Supported architectures are ${architectures()} (SmolLM2 and Mistral are llama). ${otherwise}`,
      code: 'checkpoint',
    });
  const family = familyOf(modelType);
  const fields = fieldsOf(gguf, family.gguf.architecture);
  const { count, real } = fields;
  const heads = count('attention.head_count');
  const hiddenSize = count('embedding_length');
  const headDim = count('attention.key_length', hiddenSize / heads);
  fields.mustBe('attention.value_length', headDim);
  fields.mustBe('rope.dimension_count', headDim);
  if ((fields.value('expert_count') ?? 0) !== 0)
    refuseKind(file, 'contains a mixture of experts', 'Use a dense model of the same family.');
  const layers = count('block_count');
  const positions = count('context_length');
  const window = count('attention.sliding_window', positions);
  if (window < positions && !family.gguf.windows)
    refuseKind(
      file,
      'has windowed attention, but does not say in which layers',
      'Use the Hugging Face folder of this model.',
    );
  const theta = real('rope.freq_base', family.absent.theta);
  const token = (name: string) => metadata.get(`tokenizer.ggml.${name}_token_id`);
  const [vocabSize] = tensors.get('token_embd.weight')?.shape ?? refuse(file, 'has no tensor "token_embd.weight"');
  const bias = !family.layer.qkvBias && tensors.has('blk.0.attn_q.bias');
  if (bias)
    refuseKind(file, `has biases in its attention, unlike other models of ${family.gguf.architecture}`, otherwise);
  return {
    architectures: [family.architecture],
    model_type: modelType,
    [family.activation.field]: family.activation.names[0],
    hidden_size: hiddenSize,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: count('attention.head_count_kv', heads),
    head_dim: headDim,
    intermediate_size: count('feed_forward_length'),
    vocab_size: vocabSize,
    max_position_embeddings: positions,
    rms_norm_eps: real('attention.layer_norm_rms_epsilon'),
    rope_theta: theta,
    rope_scaling: ropeScaling(gguf, fields, { headDim, theta }),
    tie_word_embeddings: !tensors.has('output.weight'),
    ...(!family.layer.qkvBias && { attention_bias: false }),
    ...(family.gguf.windows && { sliding_window: window }),
    ...family.gguf.fields({ hiddenSize, heads, headDim, layers }),
    initializer_range: 0.02,
    use_cache: true,
    bos_token_id: token('bos') ?? null,
    eos_token_id: token('eos') ?? null,
    pad_token_id: token('padding') ?? null,
  };
}

type Fields = ReturnType<typeof fieldsOf>;

function fieldsOf({ metadata, file }: GgufFacts, architecture: string) {
  const number = (name: string, absent?: number): number => {
    const value = metadata.get(`${architecture}.${name}`) ?? absent;
    if (typeof value !== 'number' || !Number.isFinite(value))
      return refuse(
        file,
        `: ${architecture}.${name} is ${value === undefined ? 'missing' : 'not one number for all layers'}`,
      );
    return value;
  };
  return {
    value: (name: string) => metadata.get(`${architecture}.${name}`),
    count(name: string, absent?: number): number {
      const value = number(name, absent);
      if (!Number.isSafeInteger(value) || value < 1) refuse(file, `: ${architecture}.${name} is ${value}`);
      return value;
    },
    /** A positive number, with the decimal digits of its float32 value. */
    real(name: string, absent?: number): number {
      const value = number(name, absent);
      if (value <= 0) refuse(file, `: ${architecture}.${name} is ${value}`);
      return Number(value.toPrecision(7));
    },
    mustBe(name: string, wanted: number): void {
      if (number(name, wanted) !== wanted)
        refuse(file, `: ${architecture}.${name} is ${number(name)}; only ${wanted} is supported`);
    },
  };
}

/**
 * Frequency scaling. Llama 3.1's is stored as the resulting divisors (rope_freqs.weight) and is recognized if its
 * published settings give the same values.
 */
function ropeScaling(gguf: GgufFacts, fields: Fields, rope: { headDim: number; theta: number }): JsonObject | null {
  const { file, tensors } = gguf;
  const type = fields.value('rope.scaling.type') ?? 'none';
  if (type === 'linear') return { rope_type: 'linear', factor: fields.real('rope.scaling.factor') };
  if (type === 'yarn') return yarnScaling(fields);
  if (type !== 'none')
    refuseKind(
      file,
      `scales rotary embedding by ${JSON.stringify(type)}`,
      "Use a version of the model for shorter contexts: linear, yarn and Llama 3.1's scaling are supported.",
    );
  if (!tensors.has('rope_freqs.weight')) return null;
  const divisors = gguf.readFloats('rope_freqs.weight');
  const published = { factor: Math.max(...divisors), lowFreqFactor: 1, highFreqFactor: 4, originalPositions: 8192 };
  const wanted = llama3Divisors(rope.headDim, rope.theta, published);
  if (wanted.length !== divisors.length || wanted.some((divisor, i) => Math.abs(divisor / divisors[i] - 1) > 1e-4))
    refuseKind(
      file,
      'scales rotary embedding by a table that is not that of Llama 3.1',
      'Use the Hugging Face folder of this model: its config.json has the settings of the table.',
    );
  return {
    rope_type: 'llama3',
    factor: published.factor,
    low_freq_factor: published.lowFreqFactor,
    high_freq_factor: published.highFreqFactor,
    original_max_position_embeddings: published.originalPositions,
  };
}

/** llama.cpp multiplies its own `attn_factor` by YaRN's default 1 + ln(factor) / 10 (ggml_rope_ext's mscale). */
function yarnScaling(fields: Fields): JsonObject {
  const factor = fields.real('rope.scaling.factor');
  const attention = fields.real('rope.scaling.attn_factor', fields.real('rope.scaling.yarn_attn_factor', 1));
  return {
    rope_type: 'yarn',
    factor,
    original_max_position_embeddings: fields.count(
      'rope.scaling.original_context_length',
      fields.count('context_length'),
    ),
    beta_fast: fields.real('rope.scaling.yarn_beta_fast', 32),
    beta_slow: fields.real('rope.scaling.yarn_beta_slow', 1),
    ...(attention !== 1 && { attention_factor: attention * usualAttentionFactor(factor) }),
  };
}

/** The divisor of each frequency: float32 [headDim / 2]. */
export function llama3Divisors(
  headDim: number,
  ropeTheta: number,
  scaling: { factor: number; lowFreqFactor: number; highFreqFactor: number; originalPositions: number },
): Float32Array {
  const plain = inverseFrequencies(headDim, { ropeTheta, ropeScaling: null });
  const stretched = inverseFrequencies(headDim, { ropeTheta, ropeScaling: { type: 'llama3', ...scaling } });
  return plain.map((frequency, i) => frequency / stretched[i]);
}
