/** Students as they are asked: the student, and a tokenizer that frames prompts the way their training did. */
import { join } from 'node:path';
import type { PromptStyle } from '../config/student';
import type { Engine, OpenOptions, Student } from '../engine/port';
import { loadStudentTokenizer, tokenizerPlace } from '../student-files/folder';
import { ggufAt } from '../student-files/gguf/student';
import { type PromptSettings, promptStyle, withPrompts } from '../student-files/prompting';
import { type Tokenizer, tokenizerWithin } from '../student-files/tokenizer';
import { runConfigOf } from './run-config';

/** A student with its prompts. */
export interface AskedStudent {
  student: Student;
  tokenizer: Tokenizer;
  prompt: PromptStyle;
}

export interface AskedOptions extends OpenOptions {
  /** The student's own, where it is loaded already: that of a large vocabulary takes a while. */
  tokenizer?: Tokenizer;
}

/** How a student is opened that is not to be trained. */
const asIs: AskedOptions = { lora: null, seed: 0 };

/**
 * The student at `path` with these prompts; without any, as its run asked it, or as `auto` says where it belongs to
 * none.
 */
export async function openStudent(
  engine: Engine,
  path: string,
  settings: PromptSettings = runConfigOf(path)?.experiment.student ?? {},
  { tokenizer: own = loadStudentTokenizer(path), ...options }: AskedOptions = asIs,
): Promise<AskedStudent> {
  const student = await engine.open(path, options);
  try {
    const place = tokenizerPlace(path);
    const fitting = tokenizerWithin(own, student.facts.vocabSize, ggufAt(place) ?? join(place, 'tokenizer.json'));
    return { student, tokenizer: withPrompts(fitting, settings), prompt: promptStyle(fitting, settings) };
  } catch (error) {
    await student.dispose();
    throw error;
  }
}
