import { judge } from '../../answers/grade';
import { withoutEnd } from '../../chain/completion';
import type { Student } from '../../engine/port';
import { type Draft, unfiltered } from '../../engine-data/sampling';
import { type EvaluatedAnswer, type Evaluation, evaluationOf } from '../../evaluation/figures';
import type { AnswerSettings } from '../../evaluation/settings';
import type { Tokenizer } from '../../student-files/tokenizer';
import type { Context } from '../context';
import type { Lesson } from '../lessons/lessons';

export interface EvaluationOptions extends AnswerSettings {
  /** Number of rows in a sampling batch. */
  batch: number;
  /** One per lesson (default: its plain question). */
  prompts?: readonly (readonly number[])[];
  signal?: AbortSignal;
  /** Called with each answer as it finishes, in any order. */
  answered?: (answer: EvaluatedAnswer, lesson: number) => void;
}

/** Samples an answer for every lesson and compares it with the reference answer. */
export async function evaluate(
  student: Student,
  tokenizer: Tokenizer,
  lessons: readonly Lesson[],
  options: EvaluationOptions,
): Promise<Evaluation> {
  const { prompts = lessons.map((lesson) => lesson.prompt) } = options;
  const started = performance.now();
  const answerOf = (draft: { tokens: readonly number[]; finished: boolean }, i: number): EvaluatedAnswer => {
    const { problem } = lessons[i];
    const tokens = withoutEnd(draft);
    const text = tokenizer.decode(tokens);
    return {
      problemId: problem.id,
      text,
      tokens: tokens.length,
      finished: draft.finished,
      ...judge(text, problem.answer),
    };
  };
  const reported = new Set<number>();
  const report = (drafts: readonly Readonly<Draft>[]) => {
    for (const [i, draft] of drafts.entries()) {
      const over = draft.finished || draft.tokens.length >= options.maxNewTokens;
      if (!over || reported.has(i)) continue;
      reported.add(i);
      options.answered?.(answerOf(draft, i), i);
    }
  };
  const { completions } = await student.sample(prompts, {
    sampling: { temperature: options.temperature, ...unfiltered },
    maxNewTokens: options.maxNewTokens,
    eosIds: tokenizer.eosIds,
    seed: options.seed,
    stream: ['evaluate'],
    groupSize: 1,
    maxRows: options.batch,
    signal: options.signal,
    progress: options.answered && report,
  });
  const seconds = (performance.now() - started) / 1000;
  const answers = completions.map(answerOf);
  return evaluationOf(answers, seconds);
}

/** Limits for prompts that are longer than plain questions: rows per batch, and new tokens. */
interface AskedOtherwise {
  prompts: readonly (readonly number[])[];
  rows: number;
  maxNewTokens: number;
}

/**
 * Evaluates with the settings of the experiment. The same harness serves base, baselines, stages and validation. Throws
 * the signal's reason when the run is asked to end.
 */
export function evaluateLessons(
  { experiment, tokenizer, signal }: Context,
  student: Student,
  lessons: readonly Lesson[],
  otherwise?: AskedOtherwise,
): Promise<Evaluation> {
  const { seed, evaluation } = experiment;
  const settings = { ...evaluation, seed, signal };
  if (!otherwise) return evaluate(student, tokenizer, lessons, settings);
  const { prompts, rows, maxNewTokens } = otherwise;
  return evaluate(student, tokenizer, lessons, {
    ...settings,
    prompts,
    batch: Math.min(evaluation.batch, rows),
    maxNewTokens: Math.min(evaluation.maxNewTokens, maxNewTokens),
  });
}
