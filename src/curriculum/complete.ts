import { checkEquations } from '../chain/calculator';
import { type MaskRatio, maskRatioAt } from '../chain/mask';
import type { CompleteSettings } from '../config/experiment';
import type { Model } from '../model/transformer';
import { Random } from '../random';
import type { Context } from './context';
import type { ScoredSample } from './groups';
import { trainGrpo } from './grpo-phase';
import { completeExercise } from './lessons';
import { rowsOfUpdate } from './order';
import { drawReplay, type OwnSamples } from './replay';

/**
 * Stage 2: GRPO on masked chains, so that the student finds its own balance of right and short. The share of masked steps rises
 * over the stage until only the question is left, which is what the test shows. Returns the chosen checkpoint.
 */
export async function complete(
  context: Context,
  model: Model,
  settings: CompleteSettings,
  own: OwnSamples,
): Promise<string> {
  const { experiment, train, tokenizer, results } = context;
  const { seed } = experiment;
  const ratioAt = (update: number): MaskRatio =>
    settings.maskSchedule === 'bridge'
      ? { preset: 'bridge' }
      : maskRatioAt(settings.maskSchedule, update / settings.updates);
  return trainGrpo(context, model, {
    stage: 'complete',
    phase: 'complete',
    settings,
    tolerance: settings.tolerance,
    reference: results.reconstruct ?? null,
    policyWeight: settings.policyWeight,
    prompts: (update, draw) =>
      rowsOfUpdate(seed, train.length, update + draw * settings.updates, settings.prompts, 'complete').map((row, i) => {
        const lesson = train[row];
        const prompt = completeExercise(
          lesson,
          ratioAt(update),
          tokenizer,
          new Random(seed, 'complete', update, draw, i),
        );
        // Steps that leave no room for an answer are not shown.
        const answer = Math.min(settings.maxNewTokens, lesson.teacherTokens?.length ?? settings.maxNewTokens);
        return { row, prompt: prompt.length + answer <= model.config.maxPositions ? prompt : lesson.prompt };
      }),
    keep: (group) => keepOwn(own, group),
    replay: (update) => drawReplay(train, own, settings.replay, seed, 'complete', update),
    state: { save: () => own.toJSON(), restore: (saved) => own.restore(saved as [number, number[]][]) },
  });
}

/** Remembers right completions whose every equation is true: a right answer by two cancelling slips is nothing to learn from. */
export function keepOwn(
  own: OwnSamples,
  { row, samples }: { row: number; samples: Pick<ScoredSample, 'correct' | 'text' | 'tokens'>[] },
): void {
  for (const { correct, text, tokens } of samples) {
    if (correct && checkEquations(text).every((equation) => equation.correct)) own.offer(row, tokens);
  }
}
