import type { SftSettings } from '../../config/experiment';
import type { Student } from '../../engine/port';
import type { Example } from '../../engine-data/examples';
import type { BaselineName } from '../../stages';
import type { Context } from '../context';
import { type Lesson, lessonInForm, teacherExample, withChains } from '../lessons/lessons';
import { trainSupervised } from '../training/supervised-phase';

/** Plain SFT: the plain question with the teacher's unchanged chain as target. */
export function sft(context: Context, student: Student, settings: SftSettings): Promise<string> {
  return trainOnChains(context, student, { stage: 'sft', settings, example: teacherExample });
}

/** Concise SFT: the plain question with the teacher's chain as target, cut to the sentences that compute. */
export function sftConcise(context: Context, student: Student, settings: SftSettings): Promise<string> {
  return trainOnChains(context, student, {
    stage: 'sftConcise',
    settings,
    example: (lesson) => teacherExample(lessonInForm('concise', lesson, context.tokenizer)),
  });
}

/**
 * Supervised training on a version of every teacher chain, validated by the loss on the same version of the validation
 * rows.
 */
function trainOnChains(
  context: Context,
  student: Student,
  {
    stage,
    settings,
    example,
  }: { stage: BaselineName; settings: SftSettings; example: (lesson: Lesson) => Example | null },
): Promise<string> {
  const examples = withChains(context.train).map(example);
  return trainSupervised(context, student, {
    stage,
    phase: stage,
    settings,
    rows: examples.length,
    example: (row) => examples[row],
    heldOut: context.validation.flatMap((lesson) => example(lesson) ?? []),
  });
}
