import type { StudentFacts } from '../engine/port';
import { yieldToEventLoop } from '../event-loop';
import type { Context } from './context';
import { type Lesson, wording } from './lessons';

/** Milliseconds of work before the event loop gets a turn, and between two progress messages. */
const yieldEveryMs = 50;
const reportEveryMs = 2000;

/**
 * The training rows whose question and teacher chain fit into the student's positions; reports how many are skipped.
 * Where a stage's longer prompt does not fit, it uses the plain question, and answers end at the last position.
 * Tokenizes every row, which may take a while: reports progress, and throws the signal's reason on request.
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
    if (now - told >= reportEveryMs) {
      told = now;
      const text = `tokenizing the training rows: ${i + 1} of ${lessons.length}`;
      notify({ type: 'note', level: 'info', text });
    }
    if (now - turn < yieldEveryMs) continue;
    await yieldToEventLoop(signal);
    turn = performance.now();
  }
  if (kept.length < lessons.length)
    notify({
      type: 'note',
      level: 'warning',
      text:
        `${lessons.length - kept.length} of ${lessons.length} training rows are skipped: ` +
        `question and chain are longer than the student's ${maxPositions} positions`,
    });
  return kept;
}
