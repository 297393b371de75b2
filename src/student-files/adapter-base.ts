/** The base model that an adapter's folder names. */
import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { UserError } from '../errors';
import { findStudent } from '../hub/cache';
import { parseStudentName, type StudentName } from '../hub/name';
import { readJsonObject } from './files';

export const adapterConfigFile = 'adapter_config.json';

export const holdsAdapter = (folder: string): boolean => existsSync(join(folder, adapterConfigFile));

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

/**
 * QLoRA adapters name their 4-bit base (`unsloth/Qwen2.5-3B-unsloth-bnb-4bit`). Quantized weights are not supported;
 * the adapter also fits the model that they were made from (QLoRA, arXiv 2305.14314): the repository name without the
 * ending.
 */
function unquantised(name: StudentName): StudentName {
  const repository = name.repository.replace(/(-unsloth)?-bnb-(4|8)bit$/i, '');
  return repository === name.repository ? name : { repository, revision: 'main' };
}
