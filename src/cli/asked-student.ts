/** What commands that ask students share: which prompts they are asked with, and which paths are none. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { backendNames } from '../config/backends';
import { runConfigOf } from '../curriculum/run-config';
import { UserError } from '../errors';
import { locateStudent, missingStudent } from '../hub/cache';
import { studentNameText } from '../hub/name';
import { runFile } from '../runs/layout';
import { openRun } from '../runs/reading';
import type { PromptSettings } from '../student-files/prompting';
import { shown } from './places';

export const promptOption = () =>
  new Option('--prompt <style>', 'plain, or chat in its chat template (default: as its run)').choices([
    'auto',
    'plain',
    'chat',
  ]);

export const backendOption = () =>
  new Option('--backend <name>', 'what computes').choices(backendNames).default('auto');

/** As the run of the checkpoint asked it, where nothing else is asked for. */
export function promptSettings(checkpoint: string, { prompt, system }: PromptSettings): PromptSettings {
  const { student } = runConfigOf(checkpoint)?.experiment ?? {};
  return { prompt: prompt ?? student?.prompt, system: system ?? student?.system };
}

/**
 * The path of the student that a user names: a folder, a .gguf file, or a model of the Hub that is on this machine. A
 * run is not a student, but it has some: its refusal says which.
 */
export function studentAt(named: string): string {
  const missing = missingStudent(named, '.');
  if (missing)
    throw new UserError('there is no such student', {
      file: named,
      code: 'missing',
      remedy: `If it is a model of the Hugging Face Hub: distillery download ${studentNameText(missing)}`,
    });
  const checkpoint = locateStudent(named, '.');
  const there = statSync(checkpoint, { throwIfNoEntry: false });
  if (!there || (there.isFile() && !/\.gguf$/i.test(checkpoint)))
    throw new UserError(there ? 'this is no student' : 'there is no such student', {
      file: checkpoint,
      code: 'missing',
      remedy: 'Give a Hugging Face folder (config.json, model.safetensors, tokenizer.json) or a .gguf file.',
    });
  if (!existsSync(runFile(checkpoint))) return checkpoint;
  const names = openRun(checkpoint).record.checkpoints.map(({ name }) =>
    shown(join(resolve(checkpoint), 'checkpoints', name)),
  );
  throw new UserError('this is a run, not a student', {
    file: checkpoint,
    code: 'checkpoint',
    remedy: names.length > 0 ? `Its students: ${names.join(', ')}.` : 'It has no checkpoints yet.',
  });
}
