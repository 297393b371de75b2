/**
 * Adapters on disk, as the PEFT library writes and reads them: adapter_config.json and adapter_model.safetensors in a folder that names
 * its base model. The base's weights are not copied.
 */
import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { type LoraTarget, loraTargets } from '../config/lora';
import { UserError } from '../errors';
import { findStudent } from '../students/cache';
import { parseStudentName, type StudentName } from '../students/name';
import type { ModelConfig } from './config';
import { isJsonObject, type JsonObject, readJsonObject, writeJson } from './files';
import { type Adapter, type AdapterBase, type AdapterSettings, adapterFrom, adapterShapes } from './lora';
import { layerName, layerNames } from './parameters';
import { openSafetensors, writeSafetensors } from './safetensors';

export const adapterConfigFile = 'adapter_config.json';
const weightsFile = 'adapter_model.safetensors';
/** In the header of the weights, where PEFT looks at nothing: the fingerprint of the base. */
const fingerprintKey = 'base_fingerprint';

export const holdsAdapter = (folder: string): boolean => existsSync(join(folder, adapterConfigFile));

/** `q` is PEFT's `q_proj`. */
const moduleOf = (target: LoraTarget) => layerNames[target].split('.')[1];

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
    return refuse(file, 'base_model_name_or_path', 'the path or name of the base model');
  if (isAbsolute(name) || existsSync(resolve(folder, name))) return { path: resolve(folder, name), missing: null };
  const named = parseStudentName(typeof revision === 'string' && revision !== '' ? `${name}@${revision}` : name);
  const path = named && findStudent(named);
  return path ? { path, missing: null } : { path: name, missing: named };
}

/**
 * Reads the adapter in `folder` for a base of this architecture. Throws a UserError when it was made for another base, or uses what is
 * not computed here.
 */
export function readAdapter(folder: string, config: ModelConfig, base: AdapterBase): Adapter {
  const settings = readSettings(join(folder, adapterConfigFile), config);
  const file = join(folder, weightsFile);
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
    const shapes = adapterShapes(config, settings);
    const disagree = 'adapter_config.json, the weights and the base model belong to different adapters.';
    for (const [name, shape] of shapes) {
      const found = weights.tensors.get(name);
      if (found?.shape.join() !== shape.join())
        fail(`Tensor ${name} is [${found?.shape ?? 'absent'}], but must be [${shape}]`, disagree);
    }
    const extra = [...weights.tensors.keys()].find((name) => !shapes.has(name));
    if (extra) fail(`There is no place for tensor ${JSON.stringify(extra)}`, disagree);
    return adapterFrom(config, settings, base, (name) => weights.readFloats(name));
  } finally {
    weights.close();
  }
}

/** What of PEFT's LoraConfig changes the computation and is not computed here, with the values that leave it as it is. */
const plain: Record<string, readonly unknown[]> = {
  peft_type: ['LORA'],
  task_type: ['CAUSAL_LM', undefined, null],
  bias: ['none', undefined],
  use_dora: [false, undefined],
  use_qalora: [false, undefined],
  use_bdlora: [null, undefined, false],
  lora_bias: [false, undefined],
  fan_in_fan_out: [false, undefined],
  modules_to_save: [null, undefined],
  trainable_token_indices: [null, undefined],
  target_parameters: [null, undefined],
  layers_to_transform: [null, undefined],
  layer_replication: [null, undefined],
  alora_invocation_tokens: [null, undefined],
  arrow_config: [null, undefined],
  kasa_config: [null, undefined],
  monteclora_config: [null, undefined],
  velora_config: [null, undefined],
  // Others (PiSSA, OLoRA, CorDA, LoftQ) change the base's weights, which then are not those of its files.
  init_lora_weights: [true, false, undefined, 'gaussian', 'eva', 'orthogonal'],
  exclude_modules: [null, undefined],
};

function refuse(file: string, field: string, wanted: string): never {
  throw new UserError(`${field} must be ${wanted}`, {
    file,
    remedy: 'Merge the adapter with PEFT (merge_and_unload) and load the merged model instead.',
    code: 'checkpoint',
  });
}

function readSettings(file: string, config: ModelConfig): AdapterSettings {
  const json = readJsonObject(file);
  for (const [field, allowed] of Object.entries(plain)) {
    const value = json[field];
    if (!allowed.includes(value) && !isEmpty(value))
      refuse(file, field, `${JSON.stringify(allowed[0])}, not ${JSON.stringify(value)}: nothing else is computed`);
  }
  for (const field of ['rank_pattern', 'alpha_pattern'])
    if (!isEmpty(json[field] ?? {})) refuse(file, field, 'empty: all layers have one rank and alpha');
  const number = (field: string, fits: (value: number) => boolean, wanted: string): number => {
    const value = json[field];
    return typeof value === 'number' && fits(value) ? value : refuse(file, field, wanted);
  };
  return {
    rank: number('r', (r) => Number.isSafeInteger(r) && r > 0 && r <= 65536, 'a whole number of at least 1'),
    alpha: number('lora_alpha', (alpha) => Number.isFinite(alpha) && alpha > 0, 'a positive number'),
    dropout:
      json.lora_dropout === undefined
        ? 0
        : number('lora_dropout', (rate) => rate >= 0 && rate < 1, 'a number from 0 up to but not including 1'),
    targets: readTargets(json, config, file),
    ...(json.use_rslora === true && { rankStabilized: true }),
  };
}

const isEmpty = (value: unknown) =>
  (Array.isArray(value) && value.length === 0) || (isJsonObject(value) && Object.keys(value).length === 0);

/** As PEFT matches them: a name is that of a module or of its end, `q_proj` or `model.layers.0.self_attn.q_proj`. */
function readTargets(json: JsonObject, config: ModelConfig, file: string): LoraTarget[] {
  const named = json.target_modules === 'all-linear' ? loraTargets.map(moduleOf) : json.target_modules;
  const wanted = `a list of linear layers (${loraTargets.map(moduleOf).join(', ')}), alike in every layer of the model`;
  if (!Array.isArray(named)) return refuse(file, 'target_modules', wanted);
  const used = new Set<unknown>();
  const isNamed = (target: LoraTarget, layer: number) => {
    const module = layerName(layer, target).replace(/\.weight$/, '');
    const names = named.filter((name) => module === name || module.endsWith(`.${name}`));
    for (const name of names) used.add(name);
    return names.length > 0;
  };
  const layersOf = (target: LoraTarget) =>
    Array.from({ length: config.layers }, (_, layer) => isNamed(target, layer)).filter(Boolean).length;
  const counts = loraTargets.map((target) => ({ target, layers: layersOf(target) }));
  const targets = counts.filter(({ layers }) => layers > 0).map(({ target }) => target);
  const everywhere = counts.every(({ layers }) => layers === 0 || layers === config.layers);
  if (targets.length === 0 || !everywhere || named.some((name) => !used.has(name)))
    refuse(file, 'target_modules', wanted);
  return targets;
}
