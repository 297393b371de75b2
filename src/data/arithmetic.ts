import { UserError } from '../errors';
import { bits, Random } from '../random';
import { teacherStyle, writeChain } from './arithmetic-chain';
import {
  drawCast,
  type EventKind,
  eventSentence,
  fillTemplate,
  operationsOf,
  type Story,
  type StoryProblem,
  stories,
  type Wording,
  work,
} from './arithmetic-story';

/** Settings of the generator of arithmetic stories. */
export interface ArithmeticOptions {
  seed: number;
  /** Minimum and maximum number of operations (1 to 8). */
  operations: [number, number];
  /** The largest number in any line of working (10 to 9999). */
  maxValue: number;
  /** Mean verbosity of the teacher, 0 (only equations) to 1 (everything stated and repeated). */
  verbosity: number;
}

export const arithmeticDefaults: ArithmeticOptions = { seed: 1, operations: [2, 4], maxValue: 60, verbosity: 0.6 };

/** Splits never share a story's numbers; `pretrain` was used to make the base student. */
export type ArithmeticSplit = 'train' | 'validation' | 'test' | 'pretrain';

export interface ArithmeticItem {
  id: string;
  question: string;
  answer: string;
  /** The teacher's chain of thought. */
  chain: string;
  meta: { operations: EventKind[]; results: number[] };
}

/** Shares of the hash space, in sixteenths. */
const shares: Record<ArithmeticSplit, [number, number]> = {
  test: [0, 2],
  validation: [2, 4],
  train: [4, 8],
  pretrain: [8, 16],
};

/** The split of a story with these numbers, whatever its wording. */
export function splitOf(problem: StoryProblem): ArithmeticSplit {
  const key = [problem.start, ...problem.events.flatMap(({ kind, a, b }) => [kind, a, b])];
  const slot = bits(20260205, ...key) >>> 28;
  return (Object.keys(shares) as ArithmeticSplit[]).find(
    (split) => slot >= shares[split][0] && slot < shares[split][1],
  )!;
}

/** Item number `index` of a split: a pure function of its arguments. */
export function arithmeticItem(options: ArithmeticOptions, split: ArithmeticSplit, index: number): ArithmeticItem {
  check(options);
  const random = new Random(options.seed, 'arithmetic', split, index);
  const problem = drawProblem(options, split, random);
  const cast = drawCast(stories, random);
  const sentences = problem.events.map((event) => eventSentence(event, cast, stories, random));
  const story = { problem, sentences, cast };
  const equations = work(problem);
  // A teacher's verbosity varies between problems, as widely as the bounds 0 and 1 allow.
  const spread = Math.min(0.35, options.verbosity, 1 - options.verbosity);
  const style = teacherStyle(options.verbosity + spread * (2 * random.uniform() - 1));
  return {
    id: `${split}-${options.seed}-${index}`,
    question: askQuestion(story, stories, random),
    answer: String(equations.at(-1)!.result),
    chain: writeChain(story, equations, style, random),
    meta: { operations: problem.events.map(({ kind }) => kind), results: equations.map(({ result }) => result) },
  };
}

/** Items `first` to `first + count - 1` of a split. */
export function arithmeticItems(
  options: ArithmeticOptions,
  split: ArithmeticSplit,
  count: number,
  first = 0,
): ArithmeticItem[] {
  return Array.from({ length: count }, (_, i) => arithmeticItem(options, split, first + i));
}

/** The text of a question: the opening, a sentence for every event, and the final question. */
export function askQuestion({ problem, sentences, cast }: Story, wording: Wording, random: Random): string {
  const opening = fillTemplate(random.pick(wording.opening), cast, { x: problem.start });
  return [opening, ...sentences, fillTemplate(random.pick(wording.asking), cast)].join(' ');
}

/** Draws numbers until their story belongs to the split. */
export function drawProblem(
  { operations, maxValue }: Pick<ArithmeticOptions, 'operations' | 'maxValue'>,
  split: ArithmeticSplit,
  random: Random,
): StoryProblem {
  const count = random.integer(operations[0], operations[1]);
  for (;;) {
    const problem = attempt(count, maxValue, random);
    if (problem && splitOf(problem) === split) return problem;
  }
}

const kinds: EventKind[] = [
  'gain',
  'gain',
  'lose',
  'lose',
  'gainGroups',
  'gainGroups',
  'loseGroups',
  'double',
  'triple',
  'halve',
  'share',
];

function attempt(operations: number, maxValue: number, random: Random): StoryProblem | undefined {
  const problem: StoryProblem = { start: random.integer(3, Math.max(4, Math.floor(maxValue / 2))), events: [] };
  for (let left = operations; left > 0; ) {
    const kind = random.pick(kinds);
    if (operationsOf[kind] > left) return undefined;
    left -= operationsOf[kind];
    const groups = kind === 'gainGroups' || kind === 'loseGroups';
    let range: [low: number, high: number] = [2, Math.max(3, Math.floor(maxValue / 3))];
    if (groups) range = [2, 9];
    else if (kind === 'share') range = [3, 6];
    const a = random.integer(...range);
    const counted = groups || kind === 'gain' || kind === 'lose' || kind === 'share';
    problem.events.push({ kind, a: counted ? a : 0, b: groups ? random.integer(2, 9) : 0 });
  }
  const fits = work(problem).every(
    ({ left, operator, right, result }) =>
      result >= 2 && result <= maxValue && (operator !== '/' || result * right === left),
  );
  return fits ? problem : undefined;
}

function check({ operations: [least, most], maxValue, verbosity }: ArithmeticOptions): void {
  const place = { code: 'config' } as const;
  if (!(Number.isInteger(least) && Number.isInteger(most) && least >= 1 && most <= 8 && least <= most))
    throw new UserError(`arithmetic: operations [${least}, ${most}] is not a range within 1 to 8`, place);
  if (!(Number.isInteger(maxValue) && maxValue >= 10 && maxValue <= 9999))
    throw new UserError(`arithmetic: maxValue ${maxValue} is not an integer from 10 to 9999`, place);
  if (!(verbosity >= 0 && verbosity <= 1))
    throw new UserError(`arithmetic: verbosity ${verbosity} is not between 0 and 1`, place);
}
