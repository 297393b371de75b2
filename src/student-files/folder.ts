/** Reads the folder of a student except its weights: Hugging Face folders, adapter folders, GGUF files. */
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../errors';
import { studentNameText } from '../hub/name';
import { chunksOf } from '../lines';
import { memoized } from '../memoized';
import { statOf } from '../paths';
import { adapterBase, adapterConfigFile, holdsAdapter } from './adapter-base';
import { type ModelConfig, parseModelConfig } from './config';
import { readJsonObject, replaceFile, writeJson } from './files';
import { ggufAt, ggufCompanions, ggufConfig, ggufWeights, withGguf } from './gguf/student';
import { tokenizerAt } from './student-tokenizer';
import { loadTokenizer, modelEosIds, type Tokenizer } from './tokenizer';
import { holdsWeights, openWeights, type WeightFiles } from './weights';

/** The folder of an adapter's base: the same folder if it has weights. @throws UserError when it is missing */
export function baseFolder(folder: string): string {
  if (!holdsAdapter(folder) || holdsWeights(folder)) return folder;
  const { path, missing } = adapterBase(folder);
  if (statOf(path)) return path;
  throw new UserError(`The base model ${path} of the adapter is missing`, {
    file: join(folder, adapterConfigFile),
    remedy: missing
      ? `Download it: distillery download ${studentNameText(missing)}`
      : 'Restore it, or correct base_model_name_or_path.',
    code: 'checkpoint',
  });
}

/** The folder of the tokenizer files: an adapter's folder may have its own, or use those of its base. */
export function tokenizerPlace(folder: string, base = baseFolder(folder)): string {
  return existsSync(join(folder, 'tokenizer.json')) && ggufAt(folder) === null ? folder : base;
}

/** The tokenizer of an adapter's folder; its base also names end tokens. */
export function tokenizerOn(folder: string, base: string): Tokenizer {
  const place = tokenizerPlace(folder, base);
  if (resolve(place) === resolve(base)) return tokenizerAt(base);
  return loadTokenizer(place, ggufAt(base) === null ? modelEosIds(base) : tokenizerAt(base).eosIds);
}

/** Loads the tokenizer alone: for an adapter's folder, its own, or that of its base. */
export function loadStudentTokenizer(folder: string): Tokenizer {
  return tokenizerOn(folder, baseFolder(folder));
}

/** The architecture of a student: a folder, a GGUF file, or an adapter's folder, which gives its base's. */
export function loadStudentConfig(path: string): ModelConfig {
  const base = baseFolder(path);
  const gguf = ggufAt(base);
  return gguf === null ? folderConfig(base) : configOfGguf(gguf);
}

/** The header of a GGUF file contains the whole vocabulary, which takes a while to read. */
function configOfGguf(file: string): ModelConfig {
  const { mtimeMs, size } = statOf(file) ?? {};
  return configAt(JSON.stringify([file, mtimeMs, size]));
}

const configAt = memoized((version) => withGguf((JSON.parse(version) as [string])[0], ggufConfig), 10_000);

function folderConfig(folder: string): ModelConfig {
  const file = join(folder, 'config.json');
  return parseModelConfig(readJsonObject(file), file);
}

/** Opens the weights of a folder or a GGUF file while `use` runs. */
export function withWeights<T>(path: string, use: (config: ModelConfig, weights: WeightFiles) => T): T {
  const file = ggufAt(path);
  if (file !== null)
    return withGguf(file, (gguf) => {
      const config = ggufConfig(gguf);
      return use(config, ggufWeights(gguf, config));
    });
  const config = folderConfig(path);
  const weights = openWeights(path);
  try {
    return use(config, weights);
  } finally {
    weights.close();
  }
}

export const generationConfig = 'generation_config.json';
/** Files of tokenizer and generation settings, which are copied unchanged. */
const companions = [
  'tokenizer.json',
  'tokenizer_config.json',
  generationConfig,
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
];

/** Copies the files of tokenizer and generation settings (or the given ones); from a GGUF file, they are generated. */
export function copyCompanions(from: string, to: string, names: readonly string[] = companions): void {
  const gguf = ggufAt(from);
  if (gguf !== null) {
    for (const [name, content] of Object.entries(withGguf(gguf, ggufCompanions)))
      if (names.includes(name)) writeJson(join(to, name), content);
    return;
  }
  if (resolve(from) === resolve(to)) return;
  for (const name of names) {
    const file = join(from, name);
    if (!existsSync(file)) continue;
    replaceFile(join(to, name), (descriptor) => {
      for (const chunk of chunksOf(file)) writeFileSync(descriptor, chunk);
    });
  }
}
