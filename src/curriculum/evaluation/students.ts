/** Students for inference, each with a tokenizer that formats prompts as in its training. */
import { join } from 'node:path';
import type { PromptStyle } from '../../config/student';
import type { Engine, OpenOptions, Student } from '../../engine/port';
import { verifyWeights } from '../../runs/checkpoints';
import { loadStudentTokenizer, tokenizerPlace } from '../../student-files/folder';
import { ggufAt } from '../../student-files/gguf/student';
import { type PromptSettings, promptStyle, withPrompts } from '../../student-files/prompting';
import { type Tokenizer, tokenizerWithin } from '../../student-files/tokenizer';
import { runConfigOf } from '../run-config';

/** A student with its prompt format. */
export interface AskedStudent {
  student: Student;
  tokenizer: Tokenizer;
  prompt: PromptStyle;
}

export interface AskedOptions extends OpenOptions {
  /** The student's tokenizer, if it is loaded already; loading a large vocabulary takes a while. */
  tokenizer?: Tokenizer;
}

/** Options for opening a student for inference. */
const asIs: AskedOptions = { lora: null, seed: 0 };

/**
 * The student at `path` with these prompts; by default in the format of its run, or as `auto` chooses if it has no run.
 */
export async function openStudent(
  engine: Engine,
  path: string,
  settings: PromptSettings = runConfigOf(path)?.experiment.student ?? {},
  { tokenizer: own = loadStudentTokenizer(path), ...options }: AskedOptions = asIs,
): Promise<AskedStudent> {
  verifyWeights(path);
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
