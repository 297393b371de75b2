import { once } from '../once';
import { type StatedValue, statedValues } from './calculator';
import { mixesUnits } from './doubts';
import { givenIn, isGiven, isReached, type Knowledge, keyOf, knowledgeOf, operandsOf } from './knowledge';
import { lex } from './lexer';
import type { Chain, Span } from './types';

/** A number that the teacher never arrives at, in a step of the student. */
export interface Departure extends Span {
  step: number;
  value: string;
  /** The teacher has the number too, but not as a result: it is one of the question's. */
  given: boolean;
}

/**
 * Where a student's computation first leaves the teacher's: the first step that computes something and whose results
 * all stand nowhere in the teacher's chain. Not blamed: what converts units, and all that comes before the student has
 * the right answer in the teacher's own way (what it does with it afterwards is). With the question known, a result is
 * traced back to the step that brought a number into it which neither the question nor the teacher has: the mistake may
 * have been made in words.
 */
export function departure(student: Chain, teacher: Chain, question?: string): Departure | null {
  const given = question === undefined ? undefined : givenIn(question);
  const knowledge = knowledgeOf(teacher, given);
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
 * How many steps the student needs to the teacher's answer, from the numbers that the teacher has it from; 0 if it
 * never gets there.
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

/** How many of one unit make another, and numbers that everybody knows. */
const factors = new Set('7 10 12 16 24 30 36 52 60 100 365 1000 3600'.split(' '));

/** 100 x 1000 = 100,000: a number of the teacher's in other units, where a step names two of one kind. */
function isConversion(text: string, result: StatedValue, { numbers }: Knowledge): boolean {
  const operands = [...operandsOf(text, result)];
  return operands.length === 2 && operands.some((one, i) => factors.has(one) && numbers.has(operands[1 - i]));
}

/** Most results that are traced back one from the other. */
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

/**
 * The first of the steps from `begin` to before `end` that has a number: where it is stated as a result, else where it
 * is said.
 */
function firstMention(steps: readonly string[], begin: number, end: number, number: string): Place | null {
  for (let step = begin; step < end; step++) {
    const stated = statedValues(steps[step]).find(({ value }) => keyOf(value) === number);
    if (stated) return { step, ...stated };
    const token = lex(steps[step]).find(({ kind, value }) => kind === 'number' && value!.toFraction() === number);
    if (token) return { step, value: number, computed: false, start: token.start, end: token.end };
  }
  return null;
}
