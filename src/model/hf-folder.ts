/** Students on disk: Hugging Face folders, compatible with transformers; GGUF files can be read too. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../errors';
import { adapterConfigFile, holdsAdapter } from '../student-files/adapter-base';
import { type ModelConfig, modelConfigJson } from '../student-files/config';
import { readJsonObject, writeJson } from '../student-files/files';
import {
  baseFolder,
  copyCompanions,
  generationConfig,
  tokenizerOn,
  tokenizerPlace,
  withWeights,
} from '../student-files/folder';
import { ggufAt } from '../student-files/gguf/student';
import { embedName, headName, parameterShapes } from '../student-files/parameters';
import { type FloatDtype, writeSafetensors } from '../student-files/safetensors';
import { tokenizerAt } from '../student-files/student-tokenizer';
import { type Tokenizer, tokenizerWithin } from '../student-files/tokenizer';
import type { WeightFiles } from '../student-files/weights';
import { fingerprint } from './fingerprint';
import { checkAdapter, readAdapter } from './lora-files';
import { mergedValues } from './merge';
import { disposeModel, type Model, modelFrom } from './transformer';

export interface LoadedStudent {
  model: Model;
  tokenizer: Tokenizer;
}

/**
 * Loads model and tokenizer from `folder`, which may also be a GGUF file, or contain one and no config.json. An
 * adapter's folder (PEFT's) gives its base with the adapter; the base is in the same folder if it has weights, else
 * named by adapter_config.json, unless `base` gives its path. @throws UserError that names file, field or tensor
 */
export function loadStudent(folder: string, options: { base?: string } = {}): LoadedStudent {
  const base = weightsOf(folder, options.base);
  const place = holdsAdapter(folder) ? tokenizerPlace(folder, base) : folder;
  const own = holdsAdapter(folder) ? tokenizerOn(folder, base) : tokenizerAt(folder);
  const model = loadPolicy(folder, base);
  try {
    const file = ggufAt(place) ?? join(place, 'tokenizer.json');
    return { model, tokenizer: tokenizerWithin(own, model.config.vocabSize, file) };
  } catch (error) {
    disposeModel(model);
    throw error;
  }
}

/** Loads a student's model as loadStudent does, with its adapter if it has one, but without its tokenizer. */
export function loadPolicy(folder: string, base = weightsOf(folder)): Model {
  const model = loadModel(base);
  if (!holdsAdapter(folder)) return model;
  try {
    const below = { path: resolve(base), fingerprint: fingerprint(model.parameters) };
    model.adapter = readAdapter(folder, model.config, below);
    return model;
  } catch (error) {
    disposeModel(model);
    throw error;
  }
}

/** The folder with the weights: an adapter's base, else the folder itself. */
function weightsOf(folder: string, given?: string): string {
  if (!holdsAdapter(folder)) return folder;
  const base = given ?? baseFolder(folder);
  return resolve(base) === resolve(folder) || !holdsAdapter(base) ? base : refuseStack(folder, base);
}

function refuseStack(folder: string, base: string): never {
  throw new UserError(`The base model ${base} has an adapter of its own`, {
    file: join(folder, adapterConfigFile),
    remedy: 'Merge that adapter first, and use the merged model as the base.',
    code: 'checkpoint',
  });
}

/** Loads the model alone, without an adapter. */
export function loadModel(path: string): Model {
  return withWeights(path, (config, weights) => modelFromWeights(weights, config, path));
}

/** Refuses a student whose config.json, weights and adapter do not fit, without reading the weights' values. */
export function checkWeights(folder: string): void {
  const base = weightsOf(folder);
  withWeights(base, (config, weights) => {
    checkTensors(weights, config, base);
    if (holdsAdapter(folder)) checkAdapter(folder, config);
  });
}

function modelFromWeights(weights: WeightFiles, config: ModelConfig, path: string): Model {
  checkTensors(weights, config, path);
  checkTiedHead(weights, config, path);
  return modelFrom(config, (name) => finite(weights.readFloats(name), name, path));
}

function finite(values: Float32Array, name: string, folder: string): Float32Array {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += 0 * values[i]; // NaN from the first infinity or NaN on
  if (sum === 0) return values;
  throw new UserError(`Tensor ${name} holds values that are not numbers (NaN or infinite)`, {
    file: folder,
    remedy: 'The weights are damaged, or their training diverged: copy them again, or use an earlier checkpoint.',
    code: 'checkpoint',
  });
}

/** Tensors that some exporters add and transformers ignores: the head of a tied model, old RoPE buffers. */
const isIgnoredTensor = (name: string, config: ModelConfig) =>
  (config.tied && name === headName) || name.endsWith('.rotary_emb.inv_freq');

/**
 * A tied model's file may contain the head again. If it was trained separately since, it must not be dropped silently.
 */
function checkTiedHead(weights: WeightFiles, config: ModelConfig, folder: string): void {
  const head = weights.tensors.get(headName);
  if (!config.tied || !head) return;
  const embedding = weights.tensors.get(embedName)!;
  const differs = () => {
    const table = weights.readFloats(embedName);
    return weights.readFloats(headName).some((value, i) => value !== table[i]);
  };
  if (head.shape.join() === embedding.shape.join() && !differs()) return;
  throw new UserError('config.json ties the output layer to the embedding, but the weights have another output layer', {
    file: folder,
    remedy: 'Set "tie_word_embeddings": false in config.json to use it, or delete lm_head.weight from the weights.',
    code: 'checkpoint',
  });
}

function checkTensors({ tensors }: WeightFiles, config: ModelConfig, folder: string): void {
  const shapes = parameterShapes(config);
  const fail = (message: string) => {
    throw new UserError(message, {
      file: folder,
      remedy: 'config.json and the weights belong to different models: copy both from the same one.',
      code: 'checkpoint',
    });
  };
  const missing = [...shapes.keys()].filter((name) => !tensors.has(name));
  if (missing.join() === headName)
    throw new UserError('config.json asks for a separate output layer, but the weights have none', {
      file: folder,
      remedy:
        'Set "tie_word_embeddings": true in config.json if the model shares its embedding, or copy the weights again.',
      code: 'checkpoint',
    });
  if (missing.length > 0) fail(`The weights lack ${listed(missing)}`);
  const extra = [...tensors.keys()].filter((name) => !shapes.has(name) && !isIgnoredTensor(name, config));
  if (extra.length > 0) fail(`The weights have tensors that config.json leaves no place for: ${listed(extra)}`);
  for (const [name, shape] of shapes) {
    const found = tensors.get(name)!.shape;
    if (found.join() !== shape.join())
      fail(`Tensor ${name} has the shape [${found}], but config.json gives [${shape}]`);
  }
}

function listed(names: string[]): string {
  const rest = names.length - 5;
  return names.slice(0, 5).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

const storedAs = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

/**
 * Writes config.json, model.safetensors (with an adapter merged) and, from the folder `tokenizerFrom`, the tokenizer
 * files; generation_config.json also from `base`, if the former has none. Each file is replaced atomically, the weights
 * last. `eosIds` are the end tokens, the usual one first, which are written to config.json and generation_config.json:
 * a base model trained to chat has other end tokens than before. @throws UserError when the disk is full or read-only
 */
export function saveStudent(
  folder: string,
  model: Model,
  options: { dtype?: FloatDtype; tokenizerFrom?: string; base?: string; eosIds?: readonly number[] } = {},
): void {
  const { dtype = 'F32', tokenizerFrom, base, eosIds } = options;
  if (tokenizerFrom !== undefined) copyCompanions(tokenizerFrom, folder);
  if (base !== undefined && !existsSync(join(folder, generationConfig)))
    copyCompanions(base, folder, [generationConfig]);
  const config = modelConfigJson(model.config, storedAs[dtype]);
  const generation = join(folder, generationConfig);
  // If it exists, transformers and vLLM read only this file.
  const decisive = existsSync(generation) ? readJsonObject(generation) : config;
  const said = [decisive.eos_token_id].flat();
  if (eosIds && !eosIds.every((id) => said.includes(id))) {
    if (decisive !== config) writeJson(generation, { ...decisive, eos_token_id: eosIds });
    config.eos_token_id = [...eosIds];
  }
  writeJson(join(folder, 'config.json'), config);
  writeSafetensors(
    join(folder, 'model.safetensors'),
    [...model.parameters].map(([name, tensor]) => ({
      name,
      dtype,
      shape: tensor.shape,
      values: () => mergedValues(model, name),
    })),
    { format: 'pt' },
  );
}
