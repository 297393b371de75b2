import { parseAnswer } from '../answers/equal';
import { type StatedValue, statedValues } from '../arithmetic/calculator';
import { lex } from '../arithmetic/lexer';
import { memoized } from '../memoized';
import type { Chain } from './types';

/** The numbers of a teacher's chain: its results, and all numbers including the given ones. */
export interface TeacherNumbers {
  results: Set<string>;
  numbers: Set<string>;
}

/**
 * If the question's numbers are known, every other number counts as a result of the teacher, because tables and words
 * state some.
 */
export function teacherNumbers(teacher: Chain, given?: ReadonlySet<string>): TeacherNumbers {
  const text = [teacher.thinking, ...teacher.steps].join('\n');
  const results = new Set([keyOf(teacher.answer)]);
  for (const { value, actual } of statedValues(text)) results.add(keyOf(value)).add(keyOf(actual ?? value));
  const numbers = new Set([...numbersIn(text), ...numbersIn(teacher.answer)]);
  if (given) for (const number of numbers) if (!given.has(number)) results.add(number);
  return { results, numbers };
}

/** A restated number that occurs in the teacher's chain, but not as a result: it comes from the question. */
export function isGiven({ value, computed }: StatedValue, teacher: TeacherNumbers): boolean {
  return !computed && teacher.numbers.has(keyOf(value)) && !teacher.results.has(keyOf(value));
}

/** Whether the teacher reaches this number too, as stated or with its correct value. */
export function isReached({ value, actual }: StatedValue, teacher: TeacherNumbers): boolean {
  return teacher.results.has(keyOf(value)) || (actual !== undefined && teacher.results.has(keyOf(actual)));
}

/** Every number of a text in canonical form; a percentage also as a fraction. */
export function numbersIn(text: string): Set<string> {
  const numbers = new Set<string>();
  for (const { kind, value, percent } of lex(text)) {
    if (kind !== 'number') continue;
    numbers.add(value!.toFraction());
    if (percent) numbers.add(value!.div(100).toFraction());
  }
  return numbers;
}

export function operandsOf(text: string, { value, computed, start, end }: StatedValue): Set<string> {
  if (!computed) return new Set();
  const numbers = numbersIn(text.slice(start, end));
  numbers.delete(keyOf(value));
  return numbers;
}

/** A number in canonical form, without its sign. */
export const keyOf = (value: string): string => (canonical.test(value) ? value.replace('-', '') : parsedKeyOf(value));

/** Most numbers are written in this form already. */
const canonical = /^-?(?:0|[1-9]\d{0,15})$/;
const parsedKeyOf = memoized((value) => parseAnswer(value)?.abs().toFraction() ?? value, 1 << 16);

const words: Record<string, number> = {
  ...Object.fromEntries(
    (
      'zero one two three four five six seven eight nine ten eleven twelve ' +
      'thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'
    )
      .split(' ')
      .map((word, i) => [word, i]),
  ),
  thirty: 30,
  forty: 40,
  fifty: 50,
  sixty: 60,
  seventy: 70,
  eighty: 80,
  ninety: 90,
  hundred: 100,
  thousand: 1000,
  once: 1,
  twice: 2,
  double: 2,
  doubled: 2,
  thrice: 3,
  triple: 3,
  tripled: 3,
  both: 2,
  couple: 2,
  pair: 2,
  dozen: 12,
};

/** The numbers in a question, including number words. */
export function givenIn(question: string): Set<string> {
  const numbers = numbersIn(question);
  for (const [word] of question.toLowerCase().matchAll(/\p{L}+/gu))
    if (Object.hasOwn(words, word)) numbers.add(String(words[word]));
  return numbers;
}
