import { mixesUnits } from '../arithmetic/ambiguous-equations';
import { type StatedValue, statedValues } from '../arithmetic/calculator';
import { lex } from '../arithmetic/lexer';
import { once } from '../once';
import { givenIn, isGiven, isReached, keyOf, operandsOf, type TeacherNumbers, teacherNumbers } from './teacher-numbers';
import type { Chain, Span } from './types';

/** A number in a student's step that the teacher never reaches. */
export interface Departure extends Span {
  step: number;
  value: string;
  /** The number occurs in the teacher's chain but not as a result: it comes from the question. */
  given: boolean;
}

/**
 * Where a student's computation first departs from the teacher's: the first computing step whose results are all absent
 * from the teacher's chain. Exceptions are unit conversions, and everything before the student reaches the right answer
 * in the teacher's own way (later steps count). If the question is known, a result is traced back to the step that
 * introduced a number found neither in the question nor in the teacher's chain, since the error may have been made in
 * words.
 */
export function findDeparture(student: Chain, teacher: Chain, question?: string): Departure | null {
  const given = question === undefined ? undefined : givenIn(question);
  const knowledge = teacherNumbers(teacher, given);
  const isKnown = (number: string) =>
    [knowledge.numbers, knowledge.results, given, factors].some((set) => set?.has(number));
  const begin = stepsToAnswer(student, teacher);
  for (let step = begin; step < student.steps.length; step++) {
    const text = student.steps[step];
    const mixes = once(() => {
      const tokens = lex(text);
      return mixesUnits(tokens, 0, tokens.length);
    });
    const results = statedValues(text).filter(
      (result) => !isGiven(result, knowledge) && !(isConversion(text, result, knowledge) && mixes()),
    );
    if (results.length === 0 || results.some((result) => isReached(result, knowledge))) continue;
    const first = { step, ...results[0] };
    const found = given ? origin(student.steps, begin, first, isKnown) : first;
    return { ...found, given: knowledge.numbers.has(keyOf(found.value)) };
  }
  return null;
}

/**
 * The number of steps in which the student reaches the teacher's answer from the teacher's operands; 0 if it never
 * does.
 */
function stepsToAnswer(student: Chain, teacher: Chain): number {
  const answer = keyOf(teacher.answer);
  const arrivals = (text: string) =>
    statedValues(text)
      .filter(({ value, computed }) => computed && keyOf(value) === answer)
      .map((arrival) => [...operandsOf(text, arrival)].sort().join());
  const ways = new Set([teacher.thinking, ...teacher.steps].flatMap(arrivals));
  return student.steps.findLastIndex((text) => arrivals(text).some((way) => ways.has(way))) + 1;
}

/** Unit conversion factors, and numbers of common knowledge. */
const factors = new Set('7 10 12 16 24 30 36 52 60 100 365 1000 3600'.split(' '));

/** 100 x 1000 = 100,000: a number of the teacher in other units, in a step that names two units of one kind. */
function isConversion(text: string, result: StatedValue, { numbers }: TeacherNumbers): boolean {
  const operands = [...operandsOf(text, result)];
  return operands.length === 2 && operands.some((one, i) => factors.has(one) && numbers.has(operands[1 - i]));
}

/** Maximum number of results traced back from one to the next. */
const longestTrace = 20;

type Place = StatedValue & { step: number };

function origin(steps: readonly string[], begin: number, found: Place, isKnown: (number: string) => boolean): Place {
  let at = found;
  for (let i = 0; i < longestTrace; i++) {
    const strange = [...operandsOf(steps[at.step], at)].filter((number) => !isKnown(number));
    const mentions = strange.flatMap((number) => firstMention(steps, begin, at.step, number) ?? []);
    if (mentions.length === 0) break;
    at = mentions.reduce((a, b) => (b.step < a.step ? b : a));
  }
  return at;
}

/** The first step in [`begin`, `end`) with a number: where it is stated as a result, else where it is mentioned. */
function firstMention(steps: readonly string[], begin: number, end: number, number: string): Place | null {
  for (let step = begin; step < end; step++) {
    const stated = statedValues(steps[step]).find(({ value }) => keyOf(value) === number);
    if (stated) return { step, ...stated };
    const token = lex(steps[step]).find(({ kind, value }) => kind === 'number' && value!.toFraction() === number);
    if (token) return { step, value: number, computed: false, start: token.start, end: token.end };
  }
  return null;
}
