import { checkEquations, type StatedValue, statedValues } from '../arithmetic/calculator';
import { alignSteps } from './align';
import { keyOf, numbersIn, operandsOf } from './teacher-numbers';
import type { Chain } from './types';

/**
 * The teacher's step to show opposite the student's first wrong step. For an arithmetic error it is the most similar
 * step; where the student leaves the teacher's path, the first step whose result the student has not reached by then.
 * Without such a step, the other of the two; without both, the first step after those aligned with earlier steps of the
 * student; null when the teacher has no more steps. `wrong` and the result are indices from 0.
 */
export function counterpart(student: Chain, teacher: Chain, wrong: number): number | null {
  const { like, next } = placeOf(student.steps, teacher.steps, wrong);
  const missed = missedStep(student, teacher, wrong);
  const isSlip = checkEquations(student.steps[wrong]).some(({ correct }) => !correct);
  return (isSlip ? (like ?? missed) : (missed ?? like)) ?? next;
}

/** The teacher's step that is aligned with the student's, and the one after the last that is aligned before it. */
function placeOf(student: readonly string[], teacher: readonly string[], step: number) {
  let next = 0;
  for (const { a, b } of alignSteps(teacher, student)) {
    if (b === step && a !== null) return { like: a, next };
    if (b !== null && b >= step) break;
    if (a !== null && b !== null) next = a + 1;
  }
  return { like: null, next: next < teacher.length ? next : null };
}

/**
 * The teacher's first step with a result that the student has not reached at its wrong step, directly or by a longer
 * computation.
 */
function missedStep(student: Chain, teacher: Chain, wrong: number): number | null {
  const has = numbersIn([student.thinking, ...student.steps.slice(0, wrong + 1)].join('\n'));
  const results = teacher.steps.flatMap((text, step) =>
    statedValues(text)
      .filter(({ computed }) => computed)
      .map((result) => ({ step, text, result, key: resultOf(result) })),
  );
  const missing = results.filter(({ key }) => !has.has(key));
  if (missing.length === 0) return null;
  const passed = new Set(
    results.flatMap(({ text, result, key }) => (has.has(key) ? [...operandsOf(text, result)] : [])),
  );
  return missing.find(({ key }) => !passed.has(key))?.step ?? null;
}

const resultOf = ({ value, actual }: StatedValue) => keyOf(actual ?? value);
