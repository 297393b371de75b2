import { groundedness } from '../../chain/grounded';
import { type MaskRatio, maskRatioAt } from '../../chain/mask';
import type { CompleteSettings } from '../../config/experiment';
import type { Student } from '../../engine/port';
import { Random } from '../../random';
import type { Context } from '../context';
import { completeExercise, type Lesson } from '../lessons/lessons';
import type { GroupPrompt, ScoredGroup, ScoredSample } from '../training/groups';
import { trainGrpo } from '../training/grpo-phase';
import { rowsOfUpdate } from '../training/order';
import { drawReplay, type OwnSamples } from './replay';

/**
 * Stage 2: GRPO on masked chains, so that the student finds its own balance of right and short. The share of masked
 * steps rises over the stage until only the question is left, as in the test. Returns the selected checkpoint.
 */
export async function complete(
  context: Context,
  student: Student,
  settings: CompleteSettings,
  own: OwnSamples,
): Promise<string> {
  const { experiment, train, tokenizer, results } = context;
  const { seed } = experiment;
  const ratioAt = (update: number): MaskRatio =>
    settings.maskSchedule === 'bridge'
      ? { preset: 'bridge' }
      : maskRatioAt(settings.maskSchedule, update / settings.updates);
  return trainGrpo(context, student, {
    stage: 'complete',
    phase: 'complete',
    settings,
    reference: results.reconstruct ?? null,
    prompts: (update, draw) =>
      rowsFor(context, settings, update, draw).map((row, i) => {
        const lesson = train[row];
        const prompt = completeExercise(
          lesson,
          ratioAt(update),
          tokenizer,
          new Random(seed, 'complete', update, draw, i),
        );
        // Steps are omitted if they leave no room for an answer.
        const answer = Math.min(settings.maxNewTokens, lesson.teacherTokens?.length ?? settings.maxNewTokens);
        return { row, prompt: prompt.length + answer <= student.facts.maxPositions ? prompt : lesson.prompt };
      }),
    keep: (group) => {
      if (isPlain(group)) keepSoundCompletions(own, group);
    },
    replay: (update) => drawReplay(train, own, settings.replay, { update, seed, salt: 'complete' }),
    state: own,
  });
}

type Drawn = Pick<CompleteSettings, 'prompts' | 'updates'>;

/** The training rows of an update of Stage 2; dynamic sampling makes further draws. */
const rowsFor = ({ train, experiment: { seed } }: Context, { prompts, updates }: Drawn, update: number, draw: number) =>
  rowsOfUpdate(train.length, update + draw * updates, { count: prompts, seed, salt: 'complete' });

/** The same rows as plain questions, for baselines that sample as Stage 2 does. */
export const plainPrompts = (context: Context, settings: Drawn, update: number, draw: number): GroupPrompt[] =>
  rowsFor(context, settings, update, draw).map((row) => ({ row, prompt: context.train[row].prompt }));

/**
 * Whether a group's prompt was the plain question: a completion after steps of the teacher is not the student's own.
 */
const isPlain = ({ prompt, lesson }: ScoredGroup) => prompt.join() === lesson.prompt.join();

/**
 * Collects right completions whose steps lead to the answer. A bare answer, or two errors that cancel out, must not be
 * learned.
 */
export function keepSoundCompletions(own: OwnSamples, { row, samples, lesson }: OwnGroup): void {
  const { problem, chain } = lesson;
  for (const { correct, text, tokens } of samples)
    if (correct && groundedness(problem.question, text, chain ?? undefined).grounded) own.offer(row, tokens);
}

/** Completions of a plain question. */
interface OwnGroup {
  row: number;
  lesson: Lesson;
  samples: Pick<ScoredSample, 'correct' | 'text' | 'tokens'>[];
}
