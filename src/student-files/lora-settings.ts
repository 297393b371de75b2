/** Reads adapter_config.json of the PEFT library, as far as it is supported (peft 0.21, LoraConfig). */
import { type LoraTarget, loraTargets } from '../config/lora';
import { UserError } from '../errors';
import { type AdapterSettings, adapterName, adapterScale } from './adapter';
import type { ModelConfig } from './config';
import { isJsonObject, type JsonObject, readJsonObject } from './files';
import { layerName, moduleOf } from './parameters';
import type { TensorEntry } from './safetensors-header';

export interface ReadSettings {
  settings: AdapterSettings;
  /** The shape of an adapter tensor in its file. */
  storedShape(name: string, shape: [number, number]): readonly number[];
  /** Converts a tensor of the file to the shape that all layers share, without changing its effect. */
  widen(name: string, values: Float32Array, shape: [number, number]): Float32Array;
}

/** Fields with unsupported effects, with the values that have no effect. */
const plain: Record<string, readonly unknown[]> = {
  peft_type: ['LORA'],
  task_type: ['CAUSAL_LM'],
  bias: ['none'],
  // Others (PiSSA, OLoRA, CorDA, LoftQ) change the base's weights, which then differ from its files.
  init_lora_weights: [true, 'gaussian', 'eva', 'orthogonal'],
};

/** Fields about training or storage; they do not affect the computation. */
const ignoredFields = new Set(
  [
    ['auto_mapping', 'base_model_name_or_path', 'revision', 'inference_mode', 'peft_version'],
    ['r', 'lora_alpha', 'lora_dropout', 'target_modules', 'use_rslora', 'rank_pattern', 'alpha_pattern'],
    ['megatron_config', 'megatron_core', 'loftq_config', 'eva_config', 'corda_config', 'lora_ga_config'],
    ['qalora_group_size', 'layers_pattern', 'runtime_config', 'ensure_weight_tying', 'exclude_modules'],
  ].flat(),
);

function refuseAdapter(file: string, field: string, wanted: string): never {
  throw new UserError(`${field} must be ${wanted}`, {
    file,
    remedy: 'Merge the adapter with PEFT (merge_and_unload) and load the merged model instead.',
    code: 'checkpoint',
  });
}

/**
 * Reads the settings of an adapter with these weight tensors. @throws UserError that names the field for unsupported
 * settings, including fields of newer PEFT versions
 */
export function readSettings(
  file: string,
  config: ModelConfig,
  tensors: ReadonlyMap<string, TensorEntry>,
): ReadSettings {
  const json = readJsonObject(file);
  refuseUnknown(json, file);
  const number = (field: string, fits: (value: number) => boolean, wanted: string): number => {
    const value = json[field];
    return typeof value === 'number' && fits(value) ? value : refuseAdapter(file, field, wanted);
  };
  const rank = number('r', (r) => Number.isSafeInteger(r) && r > 0 && r <= 65536, 'a whole number of at least 1');
  const settings: AdapterSettings = {
    rank,
    alpha: number('lora_alpha', (alpha) => Number.isFinite(alpha) && alpha > 0, 'a positive number'),
    dropout:
      json.lora_dropout === undefined
        ? 0
        : number('lora_dropout', (rate) => rate >= 0 && rate < 1, 'a number from 0 up to but not including 1'),
    targets: readTargets(json, { config, file, tensors }),
  };
  if (json.use_rslora === true) settings.rankStabilized = true;
  if (isAbsent(json.rank_pattern) && isAbsent(json.alpha_pattern))
    return { settings, storedShape: (_, shape) => shape, widen: (_, values) => values };
  return withPatterns(json, settings, { config, file, tensors });
}

function refuseUnknown(json: JsonObject, file: string): void {
  for (const [field, value] of Object.entries(json)) {
    if (isAbsent(value) || ignoredFields.has(field) || plain[field]?.includes(value)) continue;
    refuseAdapter(
      file,
      field,
      `${supportedValue(field, value)}, not ${JSON.stringify(value)}: other values are not supported`,
    );
  }
  if (json.peft_type !== 'LORA') refuseAdapter(file, 'peft_type', '"LORA"');
}

function supportedValue(field: string, value: unknown): string {
  if (field in plain) return JSON.stringify(plain[field][0]);
  return value === true ? 'false' : 'absent';
}

/** PEFT's values for "unused". */
const isAbsent = (value: unknown) =>
  value == null ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (isJsonObject(value) && Object.keys(value).length === 0);

interface AdapterFiles {
  config: ModelConfig;
  file: string;
  tensors: ReadonlyMap<string, TensorEntry>;
}

/**
 * The linear layers that have an adapter. Names are matched as in PEFT: the full name of a module or its end, `q_proj`
 * or `model.layers.0.self_attn.q_proj`. The result of a pattern (Unsloth writes one), and of names with exceptions
 * (`exclude_modules`), is seen in the weights.
 */
function readTargets(json: JsonObject, { config, file, tensors }: AdapterFiles): LoraTarget[] {
  const named = json.target_modules === 'all-linear' ? loraTargets.map(moduleOf) : json.target_modules;
  const all = loraTargets.map(moduleOf).join(', ');
  const wanted = `a list of linear layers (${all}) or a pattern, alike in every layer of the model`;
  const excepted = Array.isArray(named) && !isAbsent(json.exclude_modules);
  const used = new Set<unknown>();
  const isNamed = (weight: string) => {
    if (typeof named === 'string' || excepted) return tensors.has(adapterName(weight, 'A'));
    if (!Array.isArray(named)) return refuseAdapter(file, 'target_modules', wanted);
    const module = weight.replace(/\.weight$/, '');
    const names = named.filter((name) => module === name || module.endsWith(`.${name}`));
    for (const name of names) used.add(name);
    return names.length > 0;
  };
  const layers = Array.from({ length: config.layers }, (_, layer) => layer);
  const counts = loraTargets.map((target) => ({
    target,
    count: layers.filter((layer) => isNamed(layerName(config, layer, target))).length,
  }));
  const targets = counts.filter(({ count }) => count > 0).map(({ target }) => target);
  const everywhere = counts.every(({ count }) => count === 0 || count === config.layers);
  const others = Array.isArray(named) && !excepted ? named.filter((name) => !used.has(name)) : [];
  if (others.length > 0) refuseAdapter(file, 'target_modules', `${wanted}, without ${others.join(', ')}`);
  if (targets.length === 0 || !everywhere) refuseAdapter(file, 'target_modules', wanted);
  return targets;
}

/**
 * Converts layers with different ranks and alphas to one: A and B are padded with zeros to the largest rank, and B is
 * scaled to the common alpha. The product is the same, and zeros opposite zeros have no gradient, so they stay zero in
 * training.
 */
function withPatterns(
  json: JsonObject,
  settings: AdapterSettings,
  { config, file, tensors }: AdapterFiles,
): ReadSettings {
  const alphas = alphaPattern(json, file);
  const rankOf = (module: string) => tensors.get(adapterName(`${module}.weight`, 'A'))?.shape[0] ?? settings.rank;
  const modules = settings.targets.flatMap((target) =>
    Array.from({ length: config.layers }, (_, layer) => layerName(config, layer, target).replace(/\.weight$/, '')),
  );
  const common: AdapterSettings = { ...settings, rank: Math.max(...modules.map(rankOf)) };
  const moduleIn = (name: string) => name.replace(/^base_model\.model\./, '').replace(/\.lora_[AB]\.weight$/, '');
  const factorOf = (module: string) => {
    const key = Object.keys(alphas).find((one) => module === one || module.endsWith(`.${one}`));
    const own = { ...settings, rank: rankOf(module), alpha: key === undefined ? settings.alpha : alphas[key] };
    return adapterScale(own) / adapterScale(common);
  };
  const isA = (name: string) => name.endsWith('.lora_A.weight');
  return {
    settings: common,
    storedShape: (name, [rows, columns]) => {
      const rank = rankOf(moduleIn(name));
      return isA(name) ? [rank, columns] : [rows, rank];
    },
    widen(name, values, [rows, columns]) {
      const wide = new Float32Array(rows * columns);
      if (isA(name)) {
        wide.set(values);
        return wide;
      }
      const rank = values.length / rows;
      const factor = factorOf(moduleIn(name));
      for (let row = 0; row < rows; row++)
        for (let i = 0; i < rank; i++) wide[row * columns + i] = factor * values[row * rank + i];
      return wide;
    },
  };
}

function alphaPattern(json: JsonObject, file: string): Record<string, number> {
  const given = json.alpha_pattern ?? {};
  if (!isJsonObject(given)) return refuseAdapter(file, 'alpha_pattern', 'an object');
  for (const [key, alpha] of Object.entries(given))
    if (!/^[\w.]+$/.test(key) || typeof alpha !== 'number' || !(alpha > 0))
      refuseAdapter(file, 'alpha_pattern', 'positive numbers by module name: patterns of names are not supported');
  return given as Record<string, number>;
}
