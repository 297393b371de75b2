/** Students for inference, each with a tokenizer that formats prompts as in its training. */
import { join } from 'node:path';
import { plainPrompt } from '../../chain/prompts';
import type { PromptStyle } from '../../config/student';
import type { Engine, OpenOptions, Student } from '../../engine/port';
import { type Completion, type SampleOptions, type SampleSummary, unfiltered } from '../../engine-data/sampling';
import { UserError } from '../../errors';
import { type AnswerSettings, answerSettings } from '../../evaluation/settings';
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

/** The token budget, limited by the positions that a prompt leaves. @throws UserError when it leaves none */
export function answerBudget({ facts }: Student, promptLength: number, maxNewTokens: number): number {
  const room = facts.maxPositions - promptLength;
  if (room < 1)
    throw new UserError(
      `a question has ${promptLength} tokens, but the student has only ${facts.maxPositions} positions`,
      { code: 'dataset', remedy: 'Shorten the question.' },
    );
  return Math.min(maxNewTokens, room);
}

interface AskOptions extends Partial<AnswerSettings>, Pick<SampleOptions, 'signal'> {
  samples?: number;
  /** The student continues the text itself. */
  raw?: boolean;
  /** Called from time to time with the answers so far, and the token budget of each. */
  progress?: (drafts: Parameters<NonNullable<SampleOptions['progress']>>[0], budget: number) => void;
}

/** Answers to one question, and the prompt as the student sees it. */
export async function askStudent(
  { student, tokenizer }: Pick<AskedStudent, 'student' | 'tokenizer'>,
  question: string,
  { raw, samples = 1, signal, progress, ...asked }: AskOptions,
): Promise<{ prompt: string; completions: Completion[]; summary: SampleSummary }> {
  const prompt = tokenizer.encodePrompt(raw ? question : plainPrompt(question));
  const { temperature, seed, maxNewTokens } = answerSettings({ ...asked, samples });
  const budget = answerBudget(student, prompt.length, maxNewTokens);
  const sampled = await student.sample([prompt], {
    sampling: { temperature, ...unfiltered },
    maxNewTokens: budget,
    eosIds: tokenizer.eosIds,
    seed,
    stream: ['ask'],
    groupSize: samples,
    signal,
    progress: progress && ((drafts) => progress(drafts, budget)),
  });
  return { prompt: tokenizer.tokenTexts(prompt).join(''), ...sampled };
}
