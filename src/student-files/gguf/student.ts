/** A GGUF file in terms of a Hugging Face folder: config, tokenizer, weights with Hugging Face's names. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../errors';
import { isFolder } from '../../paths';
import { type ModelConfig, parseModelConfig } from '../config';
import type { JsonObject } from '../files';
import { isNorm } from '../parameters';
import type { TensorEntry } from '../safetensors-header';
import { makeTokenizer, type Tokenizer } from '../tokenizer';
import type { WeightFiles } from '../weights';
import { configJson } from './config';
import { type GgufFile, openGguf } from './file';
import { ggufNames, interleavedHeads, minusOffset, separate } from './names';
import { type TokenizerFiles, tokenizerFiles } from './tokenizer';

/**
 * The GGUF file at `path`: the file itself, or the only one in a folder without config.json; null otherwise. @throws
 * UserError when the folder has several
 */
export function ggufAt(path: string): string | null {
  if (/\.gguf$/i.test(path)) return path;
  if (!isFolder(path)) return null;
  const names = readdirSync(path);
  const files = names.filter((name) => /\.gguf$/i.test(name));
  if (files.length === 0 || names.includes('config.json') || names.includes('adapter_config.json')) return null;
  if (files.length > 1)
    throw new UserError(`The folder has ${files.length} GGUF files: ${files.slice(0, 5).join(', ')}`, {
      file: path,
      remedy: 'Name one of them.',
      code: 'checkpoint',
    });
  return join(path, files[0]);
}

/** Reads the parts of `file` that `read` needs, and closes it. */
export function withGguf<T>(file: string, read: (gguf: GgufFile) => T): T {
  const gguf = openGguf(file);
  try {
    return read(gguf);
  } finally {
    gguf.close();
  }
}

export const ggufConfig = (gguf: GgufFile): ModelConfig => parseModelConfig(configJson(gguf), gguf.file);

export function ggufTokenizer({ metadata, file }: GgufFile): Tokenizer {
  const { tokenizer, tokenizerConfig, eosIds } = tokenizerFiles(metadata, file);
  return makeTokenizer(tokenizer, tokenizerConfig, eosIds, file);
}

/** The other files of the equivalent Hugging Face folder, by name. */
export function ggufCompanions({ metadata, file }: GgufFile): Record<string, JsonObject> {
  const { tokenizer, tokenizerConfig, eosIds }: TokenizerFiles = tokenizerFiles(metadata, file);
  const id = (name: string) => metadata.get(`tokenizer.ggml.${name}_token_id`);
  return {
    'tokenizer.json': tokenizer,
    'tokenizer_config.json': tokenizerConfig,
    'generation_config.json': {
      ...(id('bos') !== undefined && { bos_token_id: id('bos') }),
      eos_token_id: eosIds.length === 1 ? eosIds[0] : eosIds,
      ...(id('padding') !== undefined && { pad_token_id: id('padding') }),
    },
  };
}

/** Derived tensors, which are computed when a model is loaded. */
const derived = ['rope_freqs.weight'];

/** The weights with Hugging Face's names and row order; unknown names are kept. */
export function ggufWeights(gguf: GgufFile, config: ModelConfig): WeightFiles {
  const tensors = new Map<string, TensorEntry>();
  const names = new Map<string, string>();
  const huggingFace = new Map([...ggufNames(config)].map(([hugging, name]) => [name, hugging]));
  for (const [name, { shape, offset, bytes }] of gguf.tensors) {
    if (derived.includes(name)) continue;
    const known = huggingFace.get(name) ?? name;
    tensors.set(known, { dtype: 'F32', shape, offset, bytes });
    names.set(known, name);
  }
  return {
    tensors,
    readFloats(name) {
      const values = gguf.readFloats(names.get(name)!);
      const heads = interleavedHeads(name, config);
      if (heads > 0) return separate(values, tensors.get(name)!.shape[0], heads);
      return isNorm(name) ? minusOffset(values, config.normOffset) : values;
    },
    close: gguf.close,
  };
}
