import type { ReconstructSettings, SftSettings } from '../config/experiment';
import { UserError } from '../errors';
import type { Model } from '../model/transformer';
import { Random } from '../random';
import type { Context } from './context';
import { type Lesson, reconstructExample, teacherExample } from './lessons';
import { trainSupervised } from './supervised-phase';

/** Stage 1: supervised training on masked, shuffled chains, so that the student learns structure, not wording. */
export function reconstruct(context: Context, model: Model, settings: ReconstructSettings): Promise<string> {
  const taught = withChains(context);
  const { seed } = context.experiment;
  const exercise = (lesson: Lesson, salt: string, visit: number) =>
    reconstructExample(lesson, settings, context.tokenizer, new Random(seed, salt, visit));
  return trainSupervised(context, model, {
    stage: 'reconstruct',
    phase: 'reconstruct',
    tolerance: null, // it prepares for the next stages; how well plain questions go by now is not what to choose by
    settings,
    rows: taught.length,
    example: (row, visit) => exercise(taught[row], 'reconstruct', visit),
    heldOut: context.validation.flatMap((lesson, i) => exercise(lesson, 'reconstruct/validation', i) ?? []),
  });
}

/** The baseline: plain supervised training on the same teacher chains. */
export function plainSupervised(context: Context, model: Model, settings: SftSettings): Promise<string> {
  const taught = withChains(context);
  return trainSupervised(context, model, {
    stage: 'sft',
    phase: 'sft',
    settings,
    rows: taught.length,
    example: (row) => teacherExample(taught[row]),
    heldOut: context.validation.flatMap((lesson) => teacherExample(lesson) ?? []),
  });
}

function withChains(context: Context): Lesson[] {
  const taught = context.train.filter((lesson) => lesson.teacherTokens !== null);
  if (taught.length === 0)
    throw new UserError('No training row has a teacher chain, and supervised training needs them.', {
      code: 'dataset',
      remedy: 'Give rows a "chain" field, or set stages.reconstruct and baselines.sft to false.',
    });
  return taught;
}
