/**
 * Adapters on disk, as the PEFT library writes and reads them: adapter_config.json and adapter_model.safetensors in a folder that names
 * its base model. The base's weights are not copied.
 */
import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { UserError } from '../errors';
import type { ModelConfig } from '../student-files/config';
import { readJsonObject, writeJson } from '../student-files/files';
import { moduleOf, readSettings, refuseAdapter } from '../student-files/lora-settings';
import { openSafetensors, type SafetensorsFile, writeSafetensors } from '../student-files/safetensors';
import { findStudent } from '../students/cache';
import { parseStudentName, type StudentName } from '../students/name';
import { type Adapter, type AdapterBase, adapterFrom, adapterShapes } from './lora';

export const adapterConfigFile = 'adapter_config.json';
const weightsFile = 'adapter_model.safetensors';
/** In the header of the weights, where PEFT looks at nothing: the fingerprint of the base. */
const fingerprintKey = 'base_fingerprint';

export const holdsAdapter = (folder: string): boolean => existsSync(join(folder, adapterConfigFile));

/** Writes the adapter as PEFT does, the weights last. */
export function saveAdapter(folder: string, { settings, base, parameters }: Adapter): void {
  const { rank, alpha, dropout, targets, rankStabilized } = settings;
  writeJson(join(folder, adapterConfigFile), {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: base.path,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: dropout,
    target_modules: targets.map(moduleOf),
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    use_rslora: rankStabilized === true,
    use_dora: false,
    modules_to_save: null,
  });
  writeSafetensors(
    join(folder, weightsFile),
    [...parameters].map(([name, tensor]) => ({
      name,
      dtype: 'F32' as const,
      shape: tensor.shape,
      values: () => tensor.dataSync<'float32'>(),
    })),
    { format: 'pt', [fingerprintKey]: base.fingerprint },
  );
}

/**
 * Where the base of an adapter folder lies: the path that it names, or that of a model of the Hub which is on this machine. A base that
 * is not there comes back as it is named; `missing`, then, is the model of the Hub to fetch, if it is one.
 */
export function adapterBase(folder: string): { path: string; missing: StudentName | null } {
  const file = join(folder, adapterConfigFile);
  const { base_model_name_or_path: name, revision } = readJsonObject(file);
  if (typeof name !== 'string' || name === '')
    return refuseAdapter(file, 'base_model_name_or_path', 'the path or name of the base model');
  if (isAbsolute(name) || existsSync(resolve(folder, name))) return { path: resolve(folder, name), missing: null };
  const named = parseStudentName(typeof revision === 'string' && revision !== '' ? `${name}@${revision}` : name);
  const whole = named && unquantised(named);
  const path = whole && findStudent(whole);
  return path ? { path, missing: null } : { path: name, missing: whole };
}

/**
 * QLoRA adapters name their 4-bit base (`unsloth/Qwen2.5-3B-unsloth-bnb-4bit`). Quantised weights are not computed here, and the adapter
 * belongs to the model that they were made from as well (QLoRA, arXiv 2305.14314): the repository of that name without the ending.
 */
function unquantised(name: StudentName): StudentName {
  const repository = name.repository.replace(/(-unsloth)?-bnb-(4|8)bit$/i, '');
  return repository === name.repository ? name : { repository, revision: 'main' };
}

/**
 * Reads the adapter in `folder` for a base of this architecture. Throws a UserError when it was made for another base, or uses what is
 * not computed here.
 */
export function readAdapter(folder: string, config: ModelConfig, base: AdapterBase): Adapter {
  const file = join(folder, weightsFile);
  if (!existsSync(file) && existsSync(join(folder, pickledFile))) refusePickle(folder);
  const weights = openSafetensors(file);
  try {
    const fail = (message: string, remedy: string) => {
      throw new UserError(message, { file, remedy, code: 'checkpoint' });
    };
    const madeFor = weights.metadata[fingerprintKey];
    if (madeFor !== undefined && madeFor !== base.fingerprint)
      fail(
        `The adapter was trained on another student than the one in ${base.path}`,
        'Put the former weights back there, or correct base_model_name_or_path in adapter_config.json.',
      );
    refuseEmbeddings(weights);
    const read = readSettings(join(folder, adapterConfigFile), config, weights.tensors);
    const disagree = 'adapter_config.json, the weights and the base model belong to different adapters.';
    const shapes = adapterShapes(config, read.settings);
    for (const [name, shape] of shapes) {
      const found = weights.tensors.get(name);
      const wanted = read.storedShape(name, shape);
      if (found?.shape.join() !== wanted.join())
        fail(`Tensor ${name} is [${found?.shape ?? 'absent'}], but must be [${wanted}]`, disagree);
    }
    const extra = [...weights.tensors.keys()].find((name) => !shapes.has(name));
    if (extra) fail(`There is no place for tensor ${JSON.stringify(extra)}`, disagree);
    return adapterFrom(config, read.settings, base, (name, shape) => read.widen(name, weights.readFloats(name), shape));
  } finally {
    weights.close();
  }
}

const pickledFile = 'adapter_model.bin';

function refusePickle(folder: string): never {
  const [from, to] = [pickledFile, weightsFile].map((name) => JSON.stringify(join(folder, name)));
  throw new UserError(`The adapter's weights are a Python pickle, which can run code when it is read`, {
    file: join(folder, pickledFile),
    remedy: `If you trust it, convert it: python -c 'import torch; from safetensors.torch import save_file; save_file({k: v.contiguous() for k, v in torch.load(${from}, weights_only=True).items()}, ${to})'`,
    code: 'checkpoint',
  });
}

/** PEFT saves embedding and output layer whole beside the adapter when tokens were added to the vocabulary. */
function refuseEmbeddings({ tensors, file }: SafetensorsFile): void {
  const name = [...tensors.keys()].find((key) => /\.(embed_tokens|lm_head)(\.modules_to_save)?\.weight$/.test(key));
  if (!name) return;
  throw new UserError(`The adapter brings an embedding or output layer of its own (${name})`, {
    file,
    remedy:
      'Merge it with PEFT, tokenizer included (merge_and_unload, then save_pretrained of both), and load the merged model.',
    code: 'checkpoint',
  });
}
