/** Writes a student as a GGUF file for llama.cpp. */
import { UserError } from '../../errors';
import { type ModelConfig, parseModelConfig } from '../../student-files/config';
import { usualAttentionFactor } from '../../student-files/config-rope';
import { familyOf } from '../../student-files/families';
import type { JsonObject } from '../../student-files/files';
import { configJson, llama3Divisors } from '../../student-files/gguf/config';
import { ggufNames, interleave, interleavedHeads, minusOffset } from '../../student-files/gguf/names';
import { tensorTypes } from '../../student-files/gguf/types';
import { vocabularyFields } from '../../student-files/gguf/vocabulary';
import { type GgufSource, type MetadataField, type WrittenType, writeGguf } from '../../student-files/gguf/write';
import { isNorm, parameterShapes } from '../../student-files/parameters';
import type { Tokenizer } from '../../student-files/tokenizer';
import { mergedValues } from '../merge';
import type { Model } from '../transformer';

export interface GgufOptions {
  type: WrittenType;
  /** Content of tokenizer.json, and its path for messages. */
  tokenizerJson: JsonObject;
  tokenizerFile: string;
  tokenizer: Tokenizer;
  /** The chat template's text, if it has one. */
  chatTemplate?: string;
  name: string;
}

/** Writes `file` atomically; an adapter is merged. Norms and biases stay float32, as llama.cpp requires. */
export function writeGgufStudent(file: string, model: Model, options: GgufOptions): void {
  const { config } = model;
  const fields = [
    ...architectureFields(config, options),
    ...vocabularyFields(options.tokenizerJson, config.vocabSize, options.tokenizerFile),
    ...tokenFields(options),
  ];
  const names = ggufNames(config);
  const sources = [...parameterShapes(config)].map(([name, shape]): GgufSource => {
    const heads = interleavedHeads(name, config);
    return {
      name: names.get(name) ?? fail(name),
      type: storedType(options.type, shape),
      shape,
      values: () => {
        const values = mergedValues(model, name);
        if (heads > 0) return interleave(values, shape[0], heads);
        return isNorm(name) ? minusOffset(values, -config.normOffset) : values;
      },
    };
  });
  const [{ ropeTheta, ropeScaling: scaling }] = config.ropes;
  if (scaling?.type === 'llama3') {
    const divisors = llama3Divisors(config.headDim, ropeTheta, scaling);
    sources.push({ name: 'rope_freqs.weight', type: 'F32', shape: [divisors.length], values: () => divisors });
  }
  refuseOther(config, { file, fields, sources });
  writeGguf(file, fields, sources);
}

/** llama.cpp hard-codes parts of a family's layers: this student must match. */
function refuseOther(
  config: ModelConfig,
  { file, fields, sources }: { file: string; fields: MetadataField[]; sources: GgufSource[] },
): void {
  const tensors = new Map(sources.map(({ name, shape }) => [name, { shape }]));
  const readFloats = (name: string) => sources.find((source) => source.name === name)!.values();
  const read = parseModelConfig(
    configJson({ metadata: new Map(fields.map(([key, , value]) => [key, value])), tensors, readFloats, file }),
  );
  const { windows } = familyOf(config.modelType).gguf;
  const computed = ({ layerSpecs, attentionScale }: ModelConfig) =>
    JSON.stringify([attentionScale, layerSpecs.map(({ rope, window }) => [rope, windows && window])]);
  if (computed(read) !== computed(config))
    throw new UserError("llama.cpp computes this student's layers differently: windows or rotations differ", {
      file,
      remedy: 'Export it as a Hugging Face folder.',
      code: 'checkpoint',
    });
}

function fail(name: string): never {
  throw new Error(`GGUF has no name for ${name}`);
}

/** Rows that do not divide into blocks get the next wider type. */
function storedType(type: WrittenType, shape: readonly number[]): WrittenType {
  if (shape.length === 1) return 'F32';
  return shape[shape.length - 1] % tensorTypes[type].block === 0 ? type : 'F16';
}

/** llama_ftype in llama.h. */
const fileTypes: Record<WrittenType, number> = { F32: 0, F16: 1, Q8_0: 7, BF16: 32 };

function architectureFields(config: ModelConfig, { name, type }: GgufOptions): MetadataField[] {
  const { architecture, windows } = familyOf(config.modelType).gguf;
  const widths = config.layerSpecs.flatMap(({ window }) => window ?? []);
  const u32 = (key: string, value: number): MetadataField => [`${architecture}.${key}`, 'u32', value];
  const f32 = (key: string, value: number): MetadataField => [`${architecture}.${key}`, 'f32', value];
  const [{ ropeTheta, ropeScaling: scaling }] = config.ropes;
  return [
    ['general.architecture', 'string', architecture],
    ['general.type', 'string', 'model'],
    ['general.name', 'string', name],
    ['general.file_type', 'u32', fileTypes[type]],
    ['general.quantization_version', 'u32', 2],
    u32('block_count', config.layers),
    // If llama.cpp does not support the window, texts are limited to lengths at which it has no effect.
    u32('context_length', windows ? config.maxPositions : Math.min(config.maxPositions, ...widths)),
    ...(windows ? [u32('attention.sliding_window', widths[0] ?? config.maxPositions)] : []),
    u32('embedding_length', config.hiddenSize),
    u32('feed_forward_length', config.intermediateSize),
    u32('attention.head_count', config.heads),
    u32('attention.head_count_kv', config.kvHeads),
    u32('attention.key_length', config.headDim),
    u32('attention.value_length', config.headDim),
    u32('rope.dimension_count', config.headDim),
    u32('vocab_size', config.vocabSize),
    f32('rope.freq_base', ropeTheta),
    f32('attention.layer_norm_rms_epsilon', config.normEps),
    ...(scaling?.type === 'linear' || scaling?.type === 'yarn'
      ? [
          [`${architecture}.rope.scaling.type`, 'string', scaling.type] as MetadataField,
          f32('rope.scaling.factor', scaling.factor),
        ]
      : []),
    ...(scaling?.type === 'yarn'
      ? [
          u32('rope.scaling.original_context_length', scaling.originalPositions),
          f32('rope.scaling.attn_factor', scaling.attentionFactor / usualAttentionFactor(scaling.factor)),
          f32('rope.scaling.yarn_beta_fast', scaling.betaFast),
          f32('rope.scaling.yarn_beta_slow', scaling.betaSlow),
        ]
      : []),
  ];
}

function tokenFields({ tokenizer, chatTemplate }: GgufOptions): MetadataField[] {
  const id = (name: string, value: number | undefined): MetadataField[] =>
    value === undefined ? [] : [[`tokenizer.ggml.${name}_token_id`, 'u32', value]];
  const [bos] = tokenizer.encodePrompt('');
  return [
    ['tokenizer.ggml.add_bos_token', 'bool', bos !== undefined],
    ...id('bos', bos),
    ...id('eos', tokenizer.eosId),
    ...id(
      'eot',
      tokenizer.eosIds.find((end) => end !== tokenizer.eosId),
    ),
    ...id('padding', tokenizer.padId),
    ...(chatTemplate === undefined ? [] : [['tokenizer.chat_template', 'string', chatTemplate] as MetadataField]),
  ];
}
