import type { ReconstructSettings } from '../../config/experiment';
import type { Student } from '../../engine/port';
import { Random } from '../../random';
import type { Context } from '../context';
import { type Lesson, lessonInForm, reconstructExample, teacherExample, withChains } from '../lessons/lessons';
import { trainSupervised } from '../training/supervised-phase';

/**
 * Stage 1: supervised training on masked, shuffled chains, so that the student learns structure rather than wording.
 */
export function reconstruct(context: Context, student: Student, settings: ReconstructSettings): Promise<string> {
  const rows = withChains(context.train);
  const { seed } = context.experiment;
  const { maxPositions } = student.facts;
  const exercise = (lesson: Lesson, salt: string, visit: number) => {
    const taught = lessonInForm(settings.chains, lesson, context.tokenizer);
    const made = reconstructExample(taught, settings, context.tokenizer, new Random(seed, salt, visit));
    const fits = made === null || made.prompt.length + made.completion.length <= maxPositions;
    return fits ? made : teacherExample(taught);
  };
  return trainSupervised(context, student, {
    stage: 'reconstruct',
    phase: 'reconstruct',
    tolerance: null, // Stage 1 prepares for the next stages: accuracy on plain questions does not select checkpoints
    settings,
    rows: rows.length,
    example: (row, visit) => exercise(rows[row], 'reconstruct', visit),
    heldOut: context.validation.flatMap((lesson, i) => exercise(lesson, 'reconstruct/validation', i) ?? []),
  });
}
