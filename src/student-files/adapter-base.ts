/** An adapter's folder: its weights, and the base model that it names. */
import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { UserError } from '../errors';
import { findStudent } from '../hub/cache';
import { parseStudentName, type StudentName } from '../hub/name';
import { readJsonObject } from './files';
import { openSafetensors, type SafetensorsFile } from './safetensors';

export const adapterConfigFile = 'adapter_config.json';
export const adapterWeightsFile = 'adapter_model.safetensors';
const pickledFile = 'adapter_model.bin';

export const holdsAdapter = (folder: string): boolean => existsSync(join(folder, adapterConfigFile));

/** Opens the weights of an adapter. @throws UserError when there are none, or only a pickle */
export function openAdapter(folder: string): SafetensorsFile {
  const file = join(folder, adapterWeightsFile);
  if (!existsSync(file) && existsSync(join(folder, pickledFile))) refusePickle(folder);
  return openSafetensors(file);
}

function refusePickle(folder: string): never {
  const [from, to] = [pickledFile, adapterWeightsFile].map((name) => JSON.stringify(join(folder, name)));
  throw new UserError(`The adapter's weights are a Python pickle, which can run code when it is read`, {
    file: join(folder, pickledFile),
    remedy:
      "If you trust it, convert it: python -c 'import torch; from " +
      'safetensors.torch import save_file; save_file({k: v.contiguous() for k, ' +
      `v in torch.load(${from}, weights_only=True).items()}, ${to})'`,
    code: 'checkpoint',
  });
}

/**
 * The location of an adapter's base: the path that its folder names, or a downloaded model of the Hub. If it is
 * missing, the name is returned, and `missing` is the Hub model to download, if it is one.
 */
export function adapterBase(folder: string): { path: string; missing: StudentName | null } {
  const file = join(folder, adapterConfigFile);
  const { base_model_name_or_path: name, revision } = readJsonObject(file);
  if (typeof name !== 'string' || name === '')
    throw new UserError('The adapter does not name its base model', {
      file,
      remedy: 'Write its folder, or its name on the Hugging Face Hub, as base_model_name_or_path.',
      code: 'checkpoint',
    });
  if (isAbsolute(name) || existsSync(resolve(folder, name))) return { path: resolve(folder, name), missing: null };
  const named = parseStudentName(typeof revision === 'string' && revision !== '' ? `${name}@${revision}` : name);
  const whole = named && unquantised(named);
  const path = whole && findStudent(whole);
  return path ? { path, missing: null } : { path: name, missing: whole };
}

const quantization = /(?:-unsloth)?-(?:bnb-[48]bit|awq|gptq|fp8|int[48]|[48]bit)(?:-int[48]|-[48]bit|-dynamic)?$/i;

/**
 * QLoRA adapters name their quantized base (`unsloth/Qwen2.5-3B-unsloth-bnb-4bit`). Quantized weights are not
 * supported; the adapter also fits the model that they were made from (QLoRA, arXiv 2305.14314): the repository name
 * without the ending.
 */
function unquantised(name: StudentName): StudentName {
  const repository = name.repository.replace(quantization, '');
  return repository === name.repository ? name : { repository, revision: 'main' };
}
