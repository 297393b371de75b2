import { withinTimeTogether } from '../../bounded';
import type { StudentFacts } from '../../engine/port';
import { yieldToEventLoop } from '../../event-loop';
import { type Context, endIfAsked, note } from '../context';
import { type Lesson, wording } from './lessons';

/** Milliseconds of work before the event loop gets a turn. */
const turnMs = 50;
/** Its limit: a single long row takes longer than a turn. */
const maxMs = 2000;
/** Milliseconds between two progress messages. */
const reportEveryMs = 2000;

/**
 * The training rows whose question and teacher chain fit into the student's positions; reports how many are skipped.
 * Where a stage's longer prompt does not fit, it uses the plain question, and answers end at the last position.
 * Tokenizes every row, which may take a while: reports progress, and ends the run on request.
 */
export async function lessonsThatFit(
  lessons: readonly Lesson[],
  { maxPositions }: Pick<StudentFacts, 'maxPositions'>,
  { notify, signal }: Pick<Context, 'notify' | 'signal'>,
): Promise<Lesson[]> {
  const fits = ({ prompt, teacherTokens }: Lesson) =>
    prompt.length + (teacherTokens?.length ?? 0) + wording < maxPositions;
  const kept: Lesson[] = [];
  let reported = performance.now();
  for (let done = 0; done < lessons.length; ) {
    const rows = withinTimeTogether(maxMs, () => checkedInOneTurn(lessons, done, fits));
    kept.push(...rows.kept);
    done = rows.end;
    if (performance.now() - reported >= reportEveryMs) {
      reported = performance.now();
      note(notify, `tokenizing the training rows: ${done} of ${lessons.length}`);
    }
    await yieldToEventLoop();
    endIfAsked({ signal });
  }
  if (kept.length < lessons.length)
    note(
      notify,
      `${lessons.length - kept.length} of ${lessons.length} training rows are skipped: ` +
        `question and chain are longer than the student's ${maxPositions} positions`,
      'warning',
    );
  return kept;
}

/** Checks rows from `start` on for one turn, at least one row; `end` is one past the last. */
function checkedInOneTurn(lessons: readonly Lesson[], start: number, fits: (lesson: Lesson) => boolean) {
  const until = performance.now() + turnMs;
  const kept: Lesson[] = [];
  let end = start;
  do {
    if (fits(lessons[end])) kept.push(lessons[end]);
    end++;
  } while (end < lessons.length && performance.now() < until);
  return { kept, end };
}
