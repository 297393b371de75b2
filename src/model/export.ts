/** Exports students of any format to a Hugging Face folder or a GGUF file. */
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { diskError } from '../disk';
import { UserError } from '../errors';
import { statOf } from '../paths';
import { type JsonObject, readJsonObject } from '../student-files/files';
import { baseFolder, tokenizerPlace } from '../student-files/folder';
import { ggufAt, ggufCompanions, withGguf } from '../student-files/gguf/student';
import { cutsOtherwise } from '../student-files/gguf/vocabulary';
import type { WrittenType } from '../student-files/gguf/write';
import { type PromptSettings, withPrompts } from '../student-files/prompting';
import type { FloatDtype } from '../student-files/safetensors';
import { makeFolder, makeNewFolder, move, remove } from '../writing';
import { writeGgufStudent } from './gguf/export';
import { type LoadedStudent, loadStudent, saveStudent } from './hf-folder';
import { disposeModel } from './transformer';

export type ExportFormat = 'hf' | 'gguf';

export interface ExportOptions {
  format: ExportFormat;
  /** Q8_0 only for GGUF. */
  dtype: WrittenType;
  /** Overwrite an existing target. */
  force?: boolean;
  /** The student, if it is already loaded; the caller keeps ownership. */
  student?: LoadedStudent;
  /** The prompt format of its training, which determines the end tokens. */
  prompts?: PromptSettings;
}

/** For a student without a run of ours: its files determine the end tokens. */
const plainPrompt: PromptSettings = { prompt: 'plain' };

export interface Exported {
  /** The folder or file. */
  path: string;
  files: { name: string; bytes: number }[];
  parameters: number;
  /** Notes on how other programs will treat it differently, if any. */
  note?: string;
}

/**
 * Writes the student at `from` (a folder, an adapter's folder, a GGUF file) to `to`, completely or not at all. An
 * adapter is merged. @throws UserError when the target exists and `force` is not set, or when the format cannot
 * represent the student
 */
export function exportStudent(from: string, to: string, options: ExportOptions): Exported {
  checkTarget(from, to, options);
  const student = options.student ?? loadStudent(from);
  try {
    const path = resolve(to);
    const [names, note] =
      options.format === 'hf' ? [writeFolder(from, path, student, options)] : writeFile(from, path, student, options);
    const folder = options.format === 'hf' ? path : dirname(path);
    let parameters = 0;
    for (const { size } of student.model.parameters.values()) parameters += size;
    const files = names.map((name) => ({ name, bytes: statSync(join(folder, name)).size }));
    return { path, parameters, files, ...(note != null && { note }) };
  } finally {
    if (!options.student) disposeModel(student.model);
  }
}

function checkTarget(from: string, to: string, { format, dtype, force }: ExportOptions): void {
  if (format === 'hf' && dtype === 'Q8_0')
    throw new UserError('a Hugging Face folder cannot store q8_0', {
      code: 'usage',
      remedy: 'Use --dtype f32, f16 or bf16, or --to gguf.',
    });
  if ([from, ggufAt(from), baseFolder(from)].some((path) => path !== null && resolve(path) === resolve(to)))
    throw new UserError('this is the student itself', { file: to, code: 'usage', remedy: 'Choose another target.' });
  const there = statOf(to);
  if (!there) return;
  if (there.isDirectory() !== (format === 'hf'))
    throw new UserError(format === 'hf' ? 'this is a file, not a folder' : 'this is a folder, not a file', {
      file: to,
      code: 'usage',
      remedy: 'Choose another target.',
    });
  if (!force && (format === 'gguf' || readdirSync(to).length > 0))
    throw new UserError('the target already exists', {
      file: to,
      code: 'exists',
      remedy: 'Choose another target, or add --force to overwrite it.',
    });
}

/** Files that would belong to another student unless they are overwritten. */
const stale =
  /^(model.*\.safetensors|model\.safetensors\.index\.json|adapter_.*|chat_template\.jinja|.*token.*\.json)$/;

/**
 * Written to a temporary folder, then renamed as a whole, or file by file (the weights last) into an existing folder.
 */
function writeFolder(from: string, path: string, student: LoadedStudent, { dtype, prompts }: ExportOptions): string[] {
  const { model, tokenizer } = student;
  const place = existsSync(path) ? realpathSync(path) : path; // it may be a link, as the user chose it
  const parent = dirname(place);
  const draft = join(parent, `.${basename(place)}.${process.pid}.tmp`);
  try {
    makeFolder(parent, parent);
    remove(parent, draft);
    makeNewFolder(parent, draft);
    saveStudent(draft, model, {
      dtype: dtype as FloatDtype,
      tokenizerFrom: tokenizerPlace(from),
      base: baseFolder(from),
      eosIds: withPrompts(tokenizer, prompts ?? plainPrompt).eosIds,
    });
    const names = readdirSync(draft).sort((a, b) => Number(/safetensors$/.test(a)) - Number(/safetensors$/.test(b)));
    if (existsSync(place)) {
      const former = readdirSync(place).filter((name) => stale.test(name) && !names.includes(name));
      for (const name of former) remove(place, join(place, name));
      for (const name of names) move(parent, join(draft, name), join(place, name));
    } else move(parent, draft, place);
    return names;
  } catch (error) {
    throw diskError(error, path, 'nothing was written');
  } finally {
    remove(parent, draft);
  }
}

function writeFile(
  from: string,
  path: string,
  student: LoadedStudent,
  { dtype, prompts }: ExportOptions,
): [names: string[], note: string | null] {
  const { model, tokenizer } = student;
  const place = tokenizerPlace(from);
  const { eosId, eosIds } = withPrompts(tokenizer, prompts ?? plainPrompt);
  const json = tokenizerJson(place);
  writeGgufStudent(path, model, {
    type: dtype,
    tokenizerJson: json,
    tokenizerFile: ggufAt(place) ?? join(place, 'tokenizer.json'),
    tokenizer: { ...tokenizer, eosId, eosIds },
    chatTemplate: tokenizer.chatTemplate?.source,
    name: basename(resolve(from)).replace(/\.gguf$/i, ''),
  });
  return [[basename(path)], cutsOtherwise(json)];
}

/** Vocabularies of 250,000 tokens with their merges take about 35 MB. */
const maxTokenizerBytes = 256 << 20;

function tokenizerJson(place: string): JsonObject {
  const gguf = ggufAt(place);
  if (gguf !== null) return withGguf(gguf, ggufCompanions)['tokenizer.json'];
  return readJsonObject(join(place, 'tokenizer.json'), maxTokenizerBytes);
}
