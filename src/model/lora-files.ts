/**
 * Adapters on disk in the format of the PEFT library: adapter_config.json and adapter_model.safetensors in a folder
 * that names its base model. The base's weights are not copied.
 */
import { join } from 'node:path';
import { UserError } from '../errors';
import { adapterShapes } from '../student-files/adapter';
import { adapterConfigFile, adapterWeightsFile, openAdapter } from '../student-files/adapter-base';
import type { ModelConfig } from '../student-files/config';
import { writeJson } from '../student-files/files';
import { type ReadSettings, readSettings } from '../student-files/lora-settings';
import { moduleOf } from '../student-files/parameters';
import { type SafetensorsFile, writeSafetensors } from '../student-files/safetensors';
import { type Adapter, type AdapterBase, adapterFrom } from './lora';

/** Key in the header of the weights, which PEFT ignores: the fingerprint of the base. */
const fingerprintKey = 'base_fingerprint';

/** Writes the adapter like PEFT, the weights last. */
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
    join(folder, adapterWeightsFile),
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
 * Reads the adapter in `folder` for a base of this architecture. @throws UserError when it was made for another base,
 * or uses unsupported features
 */
export function readAdapter(folder: string, config: ModelConfig, base: AdapterBase): Adapter {
  return withAdapter(folder, config, base, ({ weights, read, stored }) =>
    adapterFrom(config, read.settings, base, (name, shape) =>
      read.widen(name, weights.readFloats(stored.get(name)!), shape),
    ),
  );
}

/** Checks settings, names and shapes of the adapter in `folder`, without its values. Errors: as of readAdapter. */
export const checkAdapter = (folder: string, config: ModelConfig): void => withAdapter(folder, config, null, () => {});

interface ReadableAdapter {
  weights: SafetensorsFile;
  read: ReadSettings;
  /** The name of each tensor in the file. */
  stored: ReadonlyMap<string, string>;
}

/** Opens an adapter while `use` runs. */
function withAdapter<T>(
  folder: string,
  config: ModelConfig,
  base: AdapterBase | null,
  use: (adapter: ReadableAdapter) => T,
): T {
  const weights = openAdapter(folder);
  const { file } = weights;
  try {
    const fail = (message: string, remedy: string) => {
      throw new UserError(message, { file, remedy, code: 'checkpoint' });
    };
    const madeFor = weights.metadata[fingerprintKey];
    if (base && madeFor !== undefined && madeFor !== base.fingerprint)
      fail(
        `The adapter was trained on another student than the one in ${base.path}`,
        'Restore the weights there, or correct base_model_name_or_path in adapter_config.json.',
      );
    refuseEmbeddings(weights);
    const stored = new Map([...weights.tensors.keys()].map((name) => [withoutAdapterName(name), name]));
    const tensors = new Map([...stored].map(([name, own]) => [name, weights.tensors.get(own)!]));
    const read = readSettings(join(folder, adapterConfigFile), config, tensors);
    const disagree = 'adapter_config.json, the weights and the base model belong to different adapters.';
    if (tensors.size < weights.tensors.size)
      fail('The file holds several adapters', 'Save the one that you mean with PEFT (save_pretrained).');
    const shapes = adapterShapes(config, read.settings);
    for (const [name, shape] of shapes) {
      const found = tensors.get(name);
      const wanted = read.storedShape(name, shape);
      if (found?.shape.join() !== wanted.join())
        fail(`Tensor ${name} is [${found?.shape ?? 'absent'}], but must be [${wanted}]`, disagree);
    }
    const extra = [...tensors.keys()].find((name) => !shapes.has(name));
    if (extra) fail(`Tensor ${JSON.stringify(extra)} is unexpected`, disagree);
    return use({ weights, read, stored });
  } finally {
    weights.close();
  }
}

/** Without the adapter's name, which names of tensors contain if a trainer saved the model's state itself. */
const withoutAdapterName = (tensor: string) => tensor.replace(/(\.lora_[AB])\.[^.]+\.weight$/, '$1.weight');

/** PEFT saves embedding and output layer whole beside the adapter when tokens were added to the vocabulary. */
function refuseEmbeddings({ tensors, file }: SafetensorsFile): void {
  const name = [...tensors.keys()].find((key) => /\.(embed_tokens|lm_head)(\.modules_to_save)?\.weight$/.test(key));
  if (!name) return;
  throw new UserError(`The adapter contains an embedding or output layer of its own (${name})`, {
    file,
    remedy:
      'Merge it with PEFT, tokenizer included (merge_and_unload, then ' +
      'save_pretrained of both), and load the merged model.',
    code: 'checkpoint',
  });
}
