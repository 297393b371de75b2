import { teacherChain } from '../../cases/describe';
import { type ChainForm, conciseChain } from '../../chain/concise';
import {
  completionExercise,
  type MaskRatio,
  type ReconstructionOptions,
  reconstructionExercise,
} from '../../chain/mask';
import { completePrompt, plainPrompt, reconstructPrompt, rewritePrompt } from '../../chain/prompts';
import type { Chain } from '../../chain/types';
import type { Problems } from '../../data/problems';
import type { Problem } from '../../data/types';
import type { Example } from '../../engine-data/examples';
import { UserError } from '../../errors';
import { once } from '../../once';
import type { Random } from '../../random';
import type { Tokenizer } from '../../student-files/tokenizer';
import { chainTokens } from './completions';

/** Maximum number of tokens that the stages' prompts add around question and steps. */
export const wording = 64;

/** A problem prepared for the student: tokenized once, with the teacher's chain in our canonical form. */
export interface Lesson {
  problem: Problem;
  chain: Chain | null;
  /** The teacher's chain as completion tokens with the end token. */
  teacherTokens: number[] | null;
  /** The plain question, which is also the prompt of the test. */
  prompt: number[];
}

/**
 * Prepares problems for the student. Chains are split and tokenized on first use and cached while there is room, as all
 * rows of a large dataset would not fit into memory.
 */
export function prepareLessons(problems: Problems, tokenizer: Tokenizer): Lesson[] {
  const kept = new LessonCache((row) => new MadeLesson(problems.at(row)!, tokenizer));
  return Array.from({ length: problems.length }, (_, row) => new LazyLesson(kept, row));
}

class LazyLesson implements Lesson {
  constructor(
    private readonly kept: LessonCache,
    private readonly row: number,
  ) {}

  get problem() {
    return this.kept.at(this.row).problem;
  }
  get chain() {
    return this.kept.at(this.row).chain();
  }
  get teacherTokens() {
    return this.kept.at(this.row).teacherTokens();
  }
  get prompt() {
    return this.kept.at(this.row).prompt();
  }
}

/** Each part is computed once. */
class MadeLesson {
  readonly chain = once(() => teacherChain(this.problem));
  readonly teacherTokens = once(() => {
    const chain = this.chain();
    return chain && chainTokens(this.tokenizer, chain);
  });
  readonly prompt = once(() => this.tokenizer.encodePrompt(plainPrompt(this.problem.question)));

  constructor(
    readonly problem: Problem,
    private readonly tokenizer: Tokenizer,
  ) {}

  get size(): number {
    return this.problem.question.length + (this.problem.chain?.length ?? 0);
  }
}

/** Code units of cached lessons: ten thousand ordinary ones, or some hundred of R1's. */
const keptSize = 8_000_000;

/** Recently used lessons. */
class LessonCache {
  private readonly lessons = new Map<number, MadeLesson>();
  private size = 0;

  constructor(private readonly make: (row: number) => MadeLesson) {}

  at(row: number): MadeLesson {
    const kept = this.lessons.get(row);
    if (kept) return kept;
    const lesson = this.make(row);
    this.lessons.set(row, lesson);
    this.size += lesson.size;
    for (const [oldest, other] of this.lessons) {
      if (this.size <= keptSize || this.lessons.size === 1) break;
      this.lessons.delete(oldest);
      this.size -= other.size;
    }
    return lesson;
  }
}

/** The lessons with teacher chains, for supervised training. @throws UserError when there are none */
export function withChains(lessons: readonly Lesson[]): Lesson[] {
  const taught = lessons.filter((lesson) => lesson.teacherTokens !== null);
  if (taught.length === 0)
    throw new UserError('No training row has a teacher chain, and supervised training needs them.', {
      code: 'dataset',
      remedy: 'Give rows a "chain" field, or set stages.reconstruct, baselines.sft and baselines.sftConcise to false.',
    });
  return taught;
}

/** The lesson with the part of the teacher's chain that is taught. */
export function lessonInForm(form: ChainForm, lesson: Lesson, tokenizer: Tokenizer): Lesson {
  if (form === 'whole' || !lesson.chain) return lesson;
  const chain = conciseChain(lesson.chain);
  return { problem: lesson.problem, prompt: lesson.prompt, chain, teacherTokens: chainTokens(tokenizer, chain) };
}

/** The plain question with the teacher's chain as target: plain SFT, and replay. Null without a chain. */
export function teacherExample(lesson: Lesson): Example | null {
  return lesson.teacherTokens ? { prompt: lesson.prompt, completion: lesson.teacherTokens } : null;
}

/**
 * Stage 1: restore the order of shuffled steps, some of them masked; with probability `mixPlain` the plain question
 * instead.
 */
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

/** Stage 2: some steps masked in place. With all of them masked, or without a chain, it is the plain question. */
export function completeExercise(lesson: Lesson, ratio: MaskRatio, tokenizer: Tokenizer, random: Random): number[] {
  if (!lesson.chain) return lesson.prompt;
  return tokenizer.encodePrompt(
    completePrompt(lesson.problem.question, completionExercise(lesson.chain, ratio, random)),
  );
}

/** Maximum number of tokens of a marked step in a prompt; they count towards `wording`. */
const wrongStepTokens = 32;

/**
 * Stage 3: the question with the teacher's chain, and the request for a much shorter one. `wrongStep` is the student's
 * wrong step, where a person marked it.
 */
export function rewriteExercise(
  { problem, chain }: Lesson,
  { hideAnswer, wrongStep = '' }: { hideAnswer: boolean; wrongStep?: string },
  tokenizer: Tokenizer,
): number[] {
  if (!chain) throw new Error(`${problem.id} has no teacher chain to rewrite`);
  const shown = tokenizer.decode(tokenizer.encode(wrongStep).slice(0, wrongStepTokens));
  return tokenizer.encodePrompt(rewritePrompt(problem.question, chain, { hideAnswer, wrongStep: shown }));
}
