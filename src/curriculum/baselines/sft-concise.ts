import type { SftSettings } from '../../config/experiment';
import type { Student } from '../../engine/port';
import type { Context } from '../context';
import { lessonInForm, teacherExample } from '../lessons/lessons';
import { trainOnChains } from './sft';

/** Concise SFT: the plain question with the teacher's chain as target, cut to the sentences that compute. */
export function sftConcise(context: Context, student: Student, settings: SftSettings): Promise<string> {
  return trainOnChains(context, student, {
    stage: 'sftConcise',
    settings,
    example: (lesson) => teacherExample(lessonInForm('concise', lesson, context.tokenizer)),
  });
}
