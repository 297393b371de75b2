/**
 * Descriptions of a first wrong step: a false equation is a fact, a departure from the teacher is a guess
 * (docs/first-wrong-step.md).
 */

const departs = /^(?:departs from the teacher here|leaves the teacher's path here): /;

/** Whether the recorded reason of a first wrong step is a guess. */
export const isGuess = (reason: string): boolean => departs.test(reason);

/**
 * "departs from the teacher at step 5: 96 does not occur in the teacher's chain", "2 + 3 is 5, not 6". `step` counts
 * from 0.
 */
export function faultText(reason: string, step: number): string {
  if (!isGuess(reason)) return reason;
  const why = reason.replace(departs, '');
  const [, value] = /^the teacher never has (.+)$/.exec(why) ?? []; // the form of runs of earlier versions
  return `departs from the teacher at step ${step + 1}: ${value === undefined ? why : absence(value)}`;
}

/** The reason why a step departs from the teacher. */
export const departureText = (value: string, given: boolean): string =>
  `departs from the teacher here: ${given ? `the teacher never arrives at ${value}` : absence(value)}`;

const absence = (value: string) => `${value} does not occur in the teacher's chain`;
