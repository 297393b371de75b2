/** Students as they are asked: the model, and a tokenizer that frames prompts the way their training did. */
import type { PromptStyle } from '../config/student';
import { loadStudent, type Student } from '../model/hf-folder';
import { type PromptSettings, promptStyle, withPrompts } from '../student-files/prompting';
import { runConfigOf } from './run-config';

/** A student with its prompts. */
export interface AskedStudent extends Student {
  prompt: PromptStyle;
}

/** The student at `path` with these prompts; without any, as its run asked it, or as `auto` says where it belongs to none. */
export function openStudent(
  path: string,
  settings: PromptSettings = runConfigOf(path)?.experiment.student ?? {},
): AskedStudent {
  const { model, tokenizer } = loadStudent(path);
  return { model, tokenizer: withPrompts(tokenizer, settings), prompt: promptStyle(tokenizer, settings) };
}
