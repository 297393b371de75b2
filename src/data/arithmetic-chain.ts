import type { Random } from '../random';
import { fillTemplate, type Story, type StoryEquation } from './arithmetic-story';

/** The verbosity of a chain: each optional piece is written with the given probability. */
export interface ChainStyle {
  /** Sentences of thinking before the first step (there is always one). */
  plan: number;
  /** A first step that only repeats the initial number. */
  setUp: number;
  /** The story's own sentence, repeated before its equation. */
  restate: number;
  /** The next computation in words. */
  announce: number;
  /** The meaning of the equation in words. */
  conclude: number;
  /** A check of the equation by the inverse operation. */
  check: number;
  /** A last step that only repeats the result. */
  sumUp: number;
}

/** The teacher's style. `verbosity` 0..1: 0 writes only equations, 1 every piece. */
export function teacherStyle(verbosity: number): ChainStyle {
  return {
    plan: verbosity,
    setUp: verbosity,
    restate: Math.min(1, verbosity * 1.2),
    announce: verbosity,
    conclude: verbosity,
    check: verbosity * verbosity * 0.3,
    sumUp: verbosity,
  };
}

const verbs = { '+': 'add', '-': 'subtract', '*': 'multiply', '/': 'divide' } as const;
const opposite = { '+': '-', '-': '+', '*': '/', '/': '*' } as const;

/** A chain of thought: `Thinking: ...`, a line `Step k: ...` for every step, and `Answer: ...`. */
export function writeChain(
  { problem, sentences, cast }: Story,
  equations: readonly StoryEquation[],
  style: ChainStyle,
  random: Random,
): string {
  const chance = (p: number) => random.uniform() < p;
  const say = (template: string, numbers: Record<string, number | string> = {}) =>
    fillTemplate(template, cast, numbers);
  const answer = equations.at(-1)?.result ?? problem.start;

  const plan: string[] = [];
  if (chance(style.plan)) plan.push(say('The problem asks how many {I} {N} has in the end.'));
  if (chance(style.plan)) plan.push(say('We go through the story one change at a time.'));
  if (plan.length === 0 || chance(style.plan))
    plan.push(say('We know that {N} starts with {x} {I}.', { x: problem.start }));

  const steps: string[] = [];
  if (chance(style.setUp)) steps.push(say('First, {N} has {x} {I}.', { x: problem.start }));
  equations.forEach((equation, i) => {
    const { left, operator, right, result, part, event } = equation;
    const pieces: string[] = [];
    if (equations[i - 1]?.event !== event && chance(style.restate)) pieces.push(sentences[event]);
    if (chance(style.announce)) {
      pieces.push(
        chance(0.5) ? `So we ${verbs[operator]} ${left} and ${right}.` : `Let us compute ${left} ${operator} ${right}.`,
      );
    }
    pieces.push(`${left} ${operator} ${right} = ${result}.`);
    if (chance(style.check) && (operator !== '/' || left === result * right))
      pieces.push(`Check: ${result} ${opposite[operator]} ${right} = ${left}, which is right.`);
    if (chance(style.conclude)) {
      pieces.push(say(part === 'group' ? 'That is {y} {I}.' : 'Now {N} has {y} {I}.', { y: result }));
    }
    steps.push(pieces.join(' '));
  });
  if (chance(style.sumUp)) {
    steps.push(
      say('After all changes, {N} has {y} {I}.', { y: answer }) +
        (chance(0.5) ? ' We read the story again and see that nothing is missing.' : ''),
    );
  }
  return [`Thinking: ${plan.join(' ')}`, ...steps.map((step, i) => `Step ${i + 1}: ${step}`), `Answer: ${answer}`].join(
    '\n',
  );
}
