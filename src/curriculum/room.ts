import { breathe } from '../breath';
import type { StudentFacts } from '../engine/port';
import type { Context } from './context';
import { type Lesson, wording } from './lessons';

/** Milliseconds of work before others get a turn, and between two words of progress. */
const patience = 50;
const silence = 2000;

/**
 * The training rows whose question and teacher chain have room in the student's positions; says how many are left out.
 * A stage that shows more asks the plain question where that is too long, and answers end with the positions. Makes the
 * tokens of every row, which takes a while where there are many: says how far it is, and ends with the signal's reason.
 */
export async function lessonsThatFit(
  lessons: readonly Lesson[],
  { maxPositions }: Pick<StudentFacts, 'maxPositions'>,
  { notify, signal }: Pick<Context, 'notify' | 'signal'>,
): Promise<Lesson[]> {
  const kept: Lesson[] = [];
  let turn = performance.now();
  let told = turn;
  for (const [i, lesson] of lessons.entries()) {
    const { prompt, teacherTokens } = lesson;
    if (prompt.length + (teacherTokens?.length ?? 0) + wording < maxPositions) kept.push(lesson);
    const now = performance.now();
    if (now - told >= silence) {
      told = now;
      const text = `making tokens of the training rows: ${i + 1} of ${lessons.length}`;
      notify({ type: 'note', level: 'info', text });
    }
    if (now - turn < patience) continue;
    await breathe(signal);
    turn = performance.now();
  }
  if (kept.length < lessons.length)
    notify({
      type: 'note',
      level: 'warning',
      text:
        `${lessons.length - kept.length} of ${lessons.length} training rows are left out: ` +
        `question and chain are longer than the student's ${maxPositions} positions`,
    });
  return kept;
}
