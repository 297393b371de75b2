import type { Example } from '../../engine-data/examples';
import { uniform } from '../../random';
import { type Lesson, teacherExample } from '../lessons/lessons';
import type { PhaseState } from '../training/training';

/**
 * The shortest right completion that the student has found for each problem. Replaying them from the plain question
 * reduces forgetting in GRPO; a control run without the GRPO gradient trains on them alone.
 */
export class OwnSamples implements PhaseState {
  private readonly best = new Map<number, readonly number[]>();

  /** Keeps the completion (with end token) of lesson `row` if it is the shortest right one so far. */
  offer(row: number, completion: readonly number[]): void {
    const known = this.best.get(row);
    if (!known || completion.length < known.length) this.best.set(row, completion);
  }

  get(row: number): readonly number[] | undefined {
    return this.best.get(row);
  }

  rows(): number[] {
    return [...this.best.keys()].sort((a, b) => a - b);
  }

  save(): [number, readonly number[]][] {
    return this.rows().map((row) => [row, this.best.get(row)!]);
  }

  restore(entries: readonly [number, readonly number[]][] | null): void {
    this.best.clear();
    for (const [row, completion] of entries ?? []) this.best.set(row, completion);
  }
}

/**
 * Draws the replay of one update: `own` completions of the student and `teacher` chains, all from the plain question.
 */
export function drawReplay(
  lessons: readonly Lesson[],
  samples: OwnSamples,
  counts: { own: number; teacher: number },
  { update, seed, salt }: { update: number; seed: number; salt: string },
): Example[] {
  const out: Example[] = [];
  const rows = samples.rows();
  for (let i = 0; i < counts.own && rows.length > 0; i++) {
    const row = rows[Math.floor(uniform(seed, salt, 'own', update, i) * rows.length)];
    out.push({ prompt: lessons[row].prompt, completion: samples.get(row)! });
  }
  const taught = lessons.filter((lesson) => lesson.teacherTokens !== null);
  for (let i = 0; i < counts.teacher && taught.length > 0; i++) {
    const example = teacherExample(taught[Math.floor(uniform(seed, salt, 'teacher', update, i) * taught.length)]);
    if (example) out.push(example);
  }
  return out;
}
