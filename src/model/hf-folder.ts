/** Students on disk: Hugging Face folders that transformers, too, loads and writes. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../errors';
import { type ModelConfig, modelConfigJson, parseModelConfig } from './config';
import { readJsonObject, replaceFile, writeJson } from './files';
import { headName, parameterShapes } from './parameters';
import { type FloatDtype, writeSafetensors } from './safetensors';
import { loadTokenizer, type Tokenizer } from './tokenizer';
import { type Model, modelFrom } from './transformer';
import { openWeights, type Weights } from './weights';

export interface Student {
  model: Model;
  tokenizer: Tokenizer;
}

/** Loads model and tokenizer from `folder`. Throws a UserError that names file, field or tensor. */
export function loadStudent(folder: string): Student {
  const tokenizer = loadTokenizer(folder);
  const config = loadConfig(folder);
  if (tokenizer.vocabSize > config.vocabSize)
    throw new UserError(`The tokenizer has ${tokenizer.vocabSize} tokens, the model only ${config.vocabSize}`, {
      file: join(folder, 'tokenizer.json'),
      remedy: 'Tokenizer and model belong to different students: copy both from one.',
      code: 'checkpoint',
    });
  return { model: loadWeights(folder, config), tokenizer };
}

/** Loads the model alone. */
export function loadModel(folder: string): Model {
  return loadWeights(folder, loadConfig(folder));
}

function loadConfig(folder: string): ModelConfig {
  const file = join(folder, 'config.json');
  return parseModelConfig(readJsonObject(file), file);
}

function loadWeights(folder: string, config: ModelConfig): Model {
  const weights = openWeights(folder);
  try {
    checkTensors(weights, config, folder);
    return modelFrom(config, (name) => weights.readFloats(name));
  } finally {
    weights.close();
  }
}

/** Tensors that some exporters add and transformers ignores: the head of a tied model, old RoPE buffers. */
const isSurplus = (name: string, config: ModelConfig) =>
  (config.tied && name === headName) || name.endsWith('.rotary_emb.inv_freq');

function checkTensors({ tensors }: Weights, config: ModelConfig, folder: string): void {
  const shapes = parameterShapes(config);
  const fail = (message: string) => {
    throw new UserError(message, {
      file: folder,
      remedy: 'config.json and the weights belong to different models: copy both from one.',
      code: 'checkpoint',
    });
  };
  const missing = [...shapes.keys()].filter((name) => !tensors.has(name));
  if (missing.length > 0) fail(`The weights lack ${listed(missing)}`);
  const extra = [...tensors.keys()].filter((name) => !shapes.has(name) && !isSurplus(name, config));
  if (extra.length > 0) fail(`The weights have tensors that config.json leaves no place for: ${listed(extra)}`);
  for (const [name, shape] of shapes) {
    const found = tensors.get(name)!.shape;
    if (found.join() !== shape.join()) fail(`Tensor ${name} has the shape [${found}], but config.json says [${shape}]`);
  }
}

function listed(names: string[], most = 5): string {
  const rest = names.length - most;
  return names.slice(0, most).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** What belongs to the tokenizer or to generation and is copied as it is. */
const companions = [
  'tokenizer.json',
  'tokenizer_config.json',
  'generation_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
];

const storedAs = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

/**
 * Writes config.json, model.safetensors and, from the folder `tokenizerFrom`, the tokenizer's files. Each file is replaced
 * atomically, the weights last. Throws a UserError when the disk is full or may not be written.
 */
export function saveStudent(
  folder: string,
  model: Model,
  options: { dtype?: FloatDtype; tokenizerFrom?: string } = {},
): void {
  const { dtype = 'F32', tokenizerFrom } = options;
  if (tokenizerFrom !== undefined && resolve(tokenizerFrom) !== resolve(folder))
    for (const name of companions) {
      const from = join(tokenizerFrom, name);
      if (existsSync(from))
        replaceFile(join(folder, name), (descriptor) => writeFileSync(descriptor, readFileSync(from)));
    }
  writeJson(join(folder, 'config.json'), modelConfigJson(model.config, storedAs[dtype]));
  writeSafetensors(
    join(folder, 'model.safetensors'),
    [...model.parameters].map(([name, tensor]) => ({
      name,
      dtype,
      shape: tensor.shape,
      values: () => tensor.dataSync<'float32'>(),
    })),
    { format: 'pt' },
  );
}
