import { sameAnswer } from '../answers/equal';
import { extractAnswer } from '../answers/extract';
import { checkEquations, statedValues } from '../arithmetic/calculator';
import { departureText } from './fault-text';
import { groundedness } from './grounded';
import { renderChain } from './prompts';
import { findDeparture } from './teacher-departure';
import { isReached, keyOf, numbersIn, teacherNumbers } from './teacher-numbers';
import type { Chain, Span } from './types';

/** The first wrong step of a student's chain. `start` and `end` are a range of `chain.steps[step]`. */
export interface StepFault extends Span {
  step: number;
  /** A false equation, or a number that does not occur in the teacher's chain. */
  kind: 'arithmetic' | 'departure';
  /** For people: "12 x 3 is 36, not 38". */
  message: string;
}

/**
 * The first wrong step: the first with a false equation, else the first that leaves the teacher's path (`departure`,
 * which is more exact with the question). If the reference is only an answer, the step that reaches the student's own,
 * different answer. A right answer whose steps lead to it has no wrong step, whatever its path. Null when none is
 * found. Conservative: a step without a readable equation counts as wrong only for a number that a later step uses.
 */
export function firstWrongStep(chain: Chain, reference?: Chain | string, question?: string): StepFault | null {
  const student = { ...chain, steps: stepsRead(chain.steps) };
  for (const [step, text] of student.steps.entries()) {
    const slip = checkEquations(text).find(({ correct }) => !correct);
    if (slip) {
      const message = `${slip.left} is ${slip.actual}, not ${slip.stated}`;
      return { step, kind: 'arithmetic', message, start: slip.start, end: slip.end };
    }
  }
  if (reference === undefined) return null;
  if (typeof reference === 'string') return arrival(student, reference);
  if (solvesAnotherWay(student, reference, question)) return null;
  const found = findDeparture(student, reference, question);
  if (!found) return null;
  const { step, start, end, value } = found;
  const message = departureText(value, found.given);
  return { step, kind: 'departure', message, start, end };
}

/** Steps that begin after so many characters are not read: the longest chains of thought have half as many. */
const mostCharacters = 1 << 18;

function stepsRead(steps: readonly string[]): string[] {
  let end = 0;
  return steps.filter(({ length }) => {
    end += length;
    return end - length < mostCharacters;
  });
}

/** Whether a chain reaches the teacher's answer by other sound steps; then it has no departure that matters. */
function solvesAnotherWay(student: Chain, teacher: Chain, question: string | undefined): boolean {
  return sameAnswer(student.answer, teacher.answer) && groundedness(question, renderChain(student)).grounded;
}

/** No step states a number longer than this, and comparing longer answers would take quadratic time. */
const longestValue = 200;

function arrival(student: Chain, answer: string): StepFault | null {
  if (student.answer === '' || student.answer.length > longestValue || sameAnswer(student.answer, answer)) return null;
  for (const [step, text] of student.steps.entries()) {
    const found = statedValues(text).find(({ value, computed }) => computed && sameAnswer(value, student.answer));
    if (!found) continue;
    const message = `arrives at ${found.value}; the answer is ${answer}`;
    return { step, kind: 'departure', message, start: found.start, end: found.end };
  }
  return null;
}

/**
 * The cause of a wrong answer. The first that applies:
 *
 * - truncated: the text hit the token budget
 * - no answer: none can be extracted from it
 * - arithmetic slip: an equation is false
 * - missing step: every equation is true and every result is one of the teacher's, but some result of the teacher is
 *   missing; also steps that only announce a computation
 * - wrong operation: otherwise; the student correctly computes something that does not lead to the answer
 */
export type FailureCategory = 'arithmetic slip' | 'wrong operation' | 'missing step' | 'no answer' | 'truncated';

export const failureCategories: readonly FailureCategory[] = [
  'arithmetic slip',
  'wrong operation',
  'missing step',
  'no answer',
  'truncated',
];

/** The category of a wrong answer: `chain` is the student's, `text` its source, `gold` the right answer. */
export function failureCategory({
  chain,
  text,
  gold,
  truncated,
  teacher,
}: {
  chain: Chain;
  text: string;
  gold: string;
  truncated: boolean;
  teacher?: Chain;
}): FailureCategory {
  if (truncated) return 'truncated';
  const answer = extractAnswer(text, 'strict');
  if (!answer) return 'no answer';
  if (checkEquations(text).some(({ correct }) => !correct)) return 'arithmetic slip';
  if (!teacher) return 'wrong operation';
  const knowledge = teacherNumbers(teacher);
  const steps = chain.steps.join('\n');
  if (!computedIn(steps).every((result) => isReached(result, knowledge))) return 'wrong operation';
  const said = numbersIn(steps);
  // An answer that no step mentions was guessed: the steps leading to it are missing.
  if (said.has(keyOf(answer.value)) && !knowledge.results.has(keyOf(answer.value))) return 'wrong operation';
  const needed = computedIn(teacher.steps.join('\n')).map(({ value }) => value);
  return [...needed, gold].every((value) => said.has(keyOf(value))) ? 'wrong operation' : 'missing step';
}

const computedIn = (text: string) => statedValues(text).filter(({ computed }) => computed);
