import { extractAnswer, parseAnswer, sameAnswer } from './answer';
import { checkEquations, type StatedValue, statedValues } from './calculator';
import { lex } from './lexer';
import type { Chain, Span } from './types';

/** The first step of a student's chain that is wrong. `start` and `end` are a place in `chain.steps[step]`. */
export interface Fault extends Span {
  step: number;
  /** A false equation, or the first result that the teacher's chain never has. */
  kind: 'arithmetic' | 'departure';
  /** For people: "12 x 3 is 36, not 38". */
  message: string;
}

/**
 * The first wrong step: the first that holds a false equation, else the first that computes something and whose results all
 * stand nowhere in the teacher's chain. With the right answer alone as the reference, the step that arrives at the student's
 * own, different answer. Null when neither is found. Conservative: a step without a readable equation is never blamed.
 */
export function firstWrongStep(student: Chain, reference?: Chain | string): Fault | null {
  for (const [step, text] of student.steps.entries()) {
    const slip = checkEquations(text).find(({ correct }) => !correct);
    if (slip) {
      const message = `${slip.left} is ${slip.actual}, not ${slip.stated}`;
      return { step, kind: 'arithmetic', message, start: slip.start, end: slip.end };
    }
  }
  if (reference === undefined) return null;
  return typeof reference === 'string' ? arrival(student, reference) : departure(student, reference);
}

function departure(student: Chain, teacher: Chain): Fault | null {
  const knowledge = knowledgeOf(teacher);
  for (const [step, text] of student.steps.entries()) {
    const results = statedValues(text).filter((result) => !isGiven(result, knowledge));
    if (results.length === 0 || results.some((result) => isReached(result, knowledge))) continue;
    const { start, end, value } = results[0];
    const message = `leaves the teacher's path here: the teacher never has ${value}`;
    return { step, kind: 'departure', message, start, end };
  }
  return null;
}

function arrival(student: Chain, answer: string): Fault | null {
  if (student.answer === '' || sameAnswer(student.answer, answer)) return null;
  for (const [step, text] of student.steps.entries()) {
    const found = statedValues(text).find(({ value, computed }) => computed && sameAnswer(value, student.answer));
    if (!found) continue;
    const message = `arrives at ${found.value}; the answer is ${answer}`;
    return { step, kind: 'departure', message, start: found.start, end: found.end };
  }
  return null;
}

/** What a teacher's chain holds: the numbers it arrives at, and all numbers, the given ones included. */
interface Knowledge {
  results: Set<string>;
  numbers: Set<string>;
}

function knowledgeOf(teacher: Chain): Knowledge {
  const text = [teacher.thinking, ...teacher.steps].join('\n');
  const results = new Set([keyOf(teacher.answer)]);
  for (const { value, actual } of statedValues(text)) results.add(keyOf(value)).add(keyOf(actual ?? value));
  return { results, numbers: numbersIn(`${text}\n${teacher.answer}`) };
}

/** A number that is only restated, and stands in the teacher's chain without being a result there: it comes from the question. */
function isGiven({ value, computed }: StatedValue, teacher: Knowledge): boolean {
  return !computed && teacher.numbers.has(keyOf(value)) && !teacher.results.has(keyOf(value));
}

/** Whether the teacher arrives at this number too, as it is stated or as it really is. */
function isReached({ value, actual }: StatedValue, teacher: Knowledge): boolean {
  return teacher.results.has(keyOf(value)) || (actual !== undefined && teacher.results.has(keyOf(actual)));
}

/**
 * Why an answer is wrong. The first of these that holds:
 *
 * - truncated: the text hit the token budget
 * - no answer: none can be extracted from it
 * - arithmetic slip: an equation is false
 * - missing step: every equation is true and every number arrived at is one of the teacher's results, but some result
 *   of the teacher's is missing; also steps that only announce what to compute
 * - wrong operation: all else; the student computes, correctly, something that does not lead to the answer
 */
export type FailureCategory = 'arithmetic slip' | 'wrong operation' | 'missing step' | 'no answer' | 'truncated';

export const failureCategories: readonly FailureCategory[] = [
  'arithmetic slip',
  'wrong operation',
  'missing step',
  'no answer',
  'truncated',
];

/** The category of a wrong answer: `chain` is the student's, `text` what it was split from, `gold` the right answer. */
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
  const knowledge = knowledgeOf(teacher);
  const steps = chain.steps.join('\n');
  if (!computedIn(steps).every((result) => isReached(result, knowledge))) return 'wrong operation';
  const said = numbersIn(steps);
  // An answer that no step mentions was guessed: the steps that lead to it are missing.
  if (said.has(keyOf(answer.value)) && !knowledge.results.has(keyOf(answer.value))) return 'wrong operation';
  const needed = computedIn(teacher.steps.join('\n')).map(({ value }) => value);
  return [...needed, gold].every((value) => said.has(keyOf(value))) ? 'wrong operation' : 'missing step';
}

const computedIn = (text: string) => statedValues(text).filter(({ computed }) => computed);

/** Every number of a text, in one spelling each; a percentage also as a share. */
function numbersIn(text: string): Set<string> {
  const numbers = new Set<string>();
  for (const { kind, value, percent } of lex(text)) {
    if (kind !== 'number') continue;
    numbers.add(value!.toFraction());
    if (percent) numbers.add(value!.div(100).toFraction());
  }
  return numbers;
}

function keyOf(value: string): string {
  return parseAnswer(value)?.abs().toFraction() ?? value;
}
