import { alignSteps } from './align';

/**
 * The teacher's step that belongs opposite a step of the student: the one that says most of the same, else the first that comes
 * behind what the student had said before; null when the teacher has no more steps. Indices from 0.
 */
export function counterpart(student: readonly string[], teacher: readonly string[], step: number): number | null {
  let next = 0;
  for (const { a, b } of alignSteps(teacher, student)) {
    if (b === step && a !== null) return a;
    if (b !== null && b >= step) break;
    if (a !== null && b !== null) next = a + 1;
  }
  return next < teacher.length ? next : null;
}
