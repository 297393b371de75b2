import { teacherChain } from '../cases/describe';
import { completionExercise, type MaskRatio, type ReconstructionOptions, reconstructionExercise } from '../chain/mask';
import { completePrompt, plainPrompt, reconstructPrompt, renderChain, rewritePrompt } from '../chain/prompts';
import type { Chain } from '../chain/types';
import type { Problem } from '../data/types';
import { UserError } from '../errors';
import type { Example } from '../learning/batch';
import type { Tokenizer } from '../model/tokenizer';
import type { Random } from '../random';

/** A problem as the student meets it: tokens made once, the teacher's chain in our one form. */
export interface Lesson {
  problem: Problem;
  /** null where no teacher chain is known. */
  chain: Chain | null;
  /** The teacher's chain as text and as completion tokens with the end token. */
  teacherText: string | null;
  teacherTokens: number[] | null;
  /** The plain question, which is also the test's prompt. */
  prompt: number[];
}

export function prepareLessons(problems: readonly Problem[], tokenizer: Tokenizer): Lesson[] {
  return problems.map((problem) => {
    const chain = teacherChain(problem);
    const teacherText = chain ? renderChain(chain) : null;
    return {
      problem,
      chain,
      teacherText,
      teacherTokens: teacherText === null ? null : [...tokenizer.encode(teacherText), tokenizer.eosId],
      prompt: tokenizer.encodePrompt(plainPrompt(problem.question)),
    };
  });
}

/** The lessons that supervised training on teacher chains can use. Throws a UserError when there are none. */
export function withChains(lessons: readonly Lesson[]): Lesson[] {
  const taught = lessons.filter((lesson) => lesson.teacherTokens !== null);
  if (taught.length === 0)
    throw new UserError('No training row has a teacher chain, and supervised training needs them.', {
      code: 'dataset',
      remedy: 'Give rows a "chain" field, or set stages.reconstruct, baselines.sft and baselines.sftConcise to false.',
    });
  return taught;
}

/** The plain question answered by the teacher's chain: plain SFT, and replay. Null without a chain. */
export function teacherExample(lesson: Lesson): Example | null {
  return lesson.teacherTokens ? { prompt: lesson.prompt, completion: lesson.teacherTokens } : null;
}

/** Stage 1: the steps shuffled, some masked, to be put right; with probability `mixPlain` the plain question instead. */
export function reconstructExample(
  lesson: Lesson,
  options: ReconstructionOptions & { mixPlain: number },
  tokenizer: Tokenizer,
  random: Random,
): Example | null {
  if (!lesson.chain || !lesson.teacherTokens) return null;
  if (random.uniform() < options.mixPlain) return teacherExample(lesson);
  const exercise = reconstructionExercise(lesson.chain, options, random);
  return {
    prompt: tokenizer.encodePrompt(reconstructPrompt(lesson.problem.question, exercise)),
    completion: lesson.teacherTokens,
  };
}

/** Stage 2: some steps masked in place. All of them masked, or no chain known, is the plain question. */
export function completeExercise(lesson: Lesson, ratio: MaskRatio, tokenizer: Tokenizer, random: Random): number[] {
  if (!lesson.chain) return lesson.prompt;
  return tokenizer.encodePrompt(
    completePrompt(lesson.problem.question, completionExercise(lesson.chain, ratio, random)),
  );
}

/** Stage 3: the question with the teacher's chain, asking for a much shorter one. */
export function rewriteExercise(lesson: Lesson, hideAnswer: boolean, tokenizer: Tokenizer): number[] {
  if (!lesson.chain) throw new Error(`${lesson.problem.id} has no teacher chain to rewrite`);
  return tokenizer.encodePrompt(rewritePrompt(lesson.problem.question, lesson.chain, { hideAnswer }));
}
