/** Shared by commands that ask students: the prompt format, and the error for paths that are not students. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { backendNames } from '../../config/backends';
import { runConfigOf } from '../../curriculum/run-config';
import { UserError } from '../../errors';
import { locateStudent, missingStudent } from '../../hub/cache';
import { studentNameText } from '../../hub/name';
import { statOf } from '../../paths';
import { runFile } from '../../runs/layout';
import { openRun } from '../../runs/reading';
import type { PromptSettings } from '../../student-files/prompting';
import { shortPath } from './places';

export const promptOption = () =>
  new Option('--prompt <style>', 'plain, or chat for its chat template (default: as in its run)').choices([
    'auto',
    'plain',
    'chat',
  ]);

export const backendOption = () =>
  new Option('--backend <name>', 'backend that runs the student').choices(backendNames).default('auto');

/** Without an option, the prompt format of the checkpoint's run. */
export function promptSettings(checkpoint: string, { prompt, system }: PromptSettings): PromptSettings {
  const { student } = runConfigOf(checkpoint)?.experiment ?? {};
  return { prompt: prompt ?? student?.prompt, system: system ?? student?.system };
}

/**
 * The path of the student that a user names: a folder, a .gguf file, or a downloaded model of the Hub. A run is not a
 * student but has some, and the error lists them.
 */
export function studentAt(named: string): string {
  const missing = missingStudent(named, '.');
  if (missing)
    throw new UserError('there is no such student', {
      file: named,
      code: 'missing',
      remedy: `For a model of the Hugging Face Hub: distillery download ${studentNameText(missing)}`,
    });
  const checkpoint = locateStudent(named, '.');
  const there = statOf(checkpoint);
  if (!there || (there.isFile() && !/\.gguf$/i.test(checkpoint)))
    throw new UserError(there ? 'this is not a student' : 'there is no such student', {
      file: checkpoint,
      code: 'missing',
      remedy: 'Give a Hugging Face folder (config.json, model.safetensors, tokenizer.json) or a .gguf file.',
    });
  if (!existsSync(runFile(checkpoint))) return checkpoint;
  const names = openRun(checkpoint).record.checkpoints.map(({ name }) =>
    shortPath(join(resolve(checkpoint), 'checkpoints', name)),
  );
  throw new UserError('this is a run, not a student', {
    file: checkpoint,
    code: 'checkpoint',
    remedy: names.length > 0 ? `Its students: ${names.join(', ')}.` : 'It has no checkpoints yet.',
  });
}
