import type { Random } from '../random';

/** The kinds of change to a number of things. `groups` kinds use `a` containers of `b` things. */
export type EventKind = 'gain' | 'lose' | 'gainGroups' | 'loseGroups' | 'double' | 'triple' | 'halve' | 'share';

/**
 * One event of a story. `a`: the amount, or the number of containers or of people who share; `b`: things per container.
 */
export interface StoryEvent {
  kind: EventKind;
  a: number;
  b: number;
}

/** The numbers of a story: the initial count, and the events. */
export interface StoryProblem {
  start: number;
  events: StoryEvent[];
}

/** One line of working, such as `12 + 7 = 19`. `event` is its index in the story. */
export interface StoryEquation {
  event: number;
  left: number;
  operator: '+' | '-' | '*' | '/';
  right: number;
  result: number;
  /** `group`: the total content of the containers; `total`: the new count. */
  part: 'group' | 'total';
}

/** The words of a story. */
export interface StoryWords {
  name: string;
  other: string;
  item: string;
  container: string;
}

/** The text of a problem: its people and things, and a sentence for every event. */
export interface Story {
  problem: StoryProblem;
  sentences: readonly string[];
  cast: StoryWords;
}

/** Chooses the sentences of a question or chain. */
export interface Wording {
  names: readonly string[];
  items: readonly string[];
  containers: readonly string[];
  opening: readonly string[];
  events: Record<EventKind, readonly string[]>;
  asking: readonly string[];
}

/** The number of operations of each kind of event. */
export const operationsOf: Record<EventKind, number> = {
  gain: 1,
  lose: 1,
  gainGroups: 2,
  loseGroups: 2,
  double: 1,
  triple: 1,
  halve: 1,
  share: 1,
};

export const stories: Wording = {
  names: ['Tom', 'Anna', 'Ben', 'Sue', 'Max', 'Eva', 'Sam', 'Mia', 'Leo', 'Zoe', 'Ali', 'Nina'],
  items: ['apples', 'pens', 'books', 'coins', 'cards', 'eggs', 'shells', 'stamps', 'toys', 'cups', 'stones', 'pears'],
  containers: ['bags', 'boxes', 'packs', 'jars'],
  opening: ['{N} has {x} {I}.', '{N} starts with {x} {I}.', 'In the morning {N} has {x} {I}.'],
  events: {
    gain: ['{N} buys {a} {I}.', '{N} finds {a} more {I}.', '{O} gives {N} {a} {I}.', 'Then {N} gets {a} more {I}.'],
    lose: ['{N} gives {a} {I} to {O}.', '{N} loses {a} {I}.', 'Then {N} sells {a} {I}.', '{N} uses {a} of the {I}.'],
    gainGroups: ['{N} buys {a} {C} of {b} {I}.', '{N} gets {a} {C} with {b} {I} each.'],
    loseGroups: ['{N} sells {a} {C} of {b} {I}.', '{N} gives {O} {a} {C} with {b} {I} each.'],
    double: ['Then {N} doubles the number of {I}.', '{N} gets as many {I} again.'],
    triple: ['Then {N} triples the number of {I}.'],
    halve: ['{N} loses half of the {I}.', 'Then {N} gives half of the {I} to {O}.'],
    share: ['{N} shares the {I} equally among {a} people and keeps one share.'],
  },
  asking: ['How many {I} does {N} have now?', 'How many {I} does {N} have in the end?'],
};

/**
 * Applies an event to a count `x`, as one or two equations. Halves and shares of a count that does not divide evenly
 * are rounded down.
 */
export function work(
  problem: StoryProblem,
  state: (equation: StoryEquation) => number = (equation) => equation.result,
): StoryEquation[] {
  const out: StoryEquation[] = [];
  let x = problem.start;
  type Operation = [left: number, operator: StoryEquation['operator'], right: number];
  const add = (event: number, [left, operator, right]: Operation, part: StoryEquation['part'] = 'total') => {
    const equation: StoryEquation = { event, left, operator, right, result: calculate(left, operator, right), part };
    equation.result = state(equation);
    out.push(equation);
    return equation.result;
  };
  problem.events.forEach(({ kind, a, b }, event) => {
    if (kind === 'gain') x = add(event, [x, '+', a]);
    else if (kind === 'lose') x = add(event, [x, '-', a]);
    else if (kind === 'gainGroups') x = add(event, [x, '+', add(event, [a, '*', b], 'group')]);
    else if (kind === 'loseGroups') x = add(event, [x, '-', add(event, [a, '*', b], 'group')]);
    else if (kind === 'double') x = add(event, [x, '*', 2]);
    else if (kind === 'triple') x = add(event, [x, '*', 3]);
    else x = add(event, [x, '/', kind === 'halve' ? 2 : a]);
  });
  return out;
}

function calculate(left: number, operator: StoryEquation['operator'], right: number): number {
  if (operator === '+') return left + right;
  if (operator === '-') return left - right;
  return operator === '*' ? left * right : Math.floor(left / right);
}

/** Replaces `{N}`, `{O}`, `{I}`, `{C}` by the words of the story, and `{a}`, `{b}`, `{x}` and similar by numbers. */
export function fillTemplate(
  template: string,
  cast: StoryWords,
  numbers: Record<string, number | string> = {},
): string {
  const words: Record<string, number | string> = {
    N: cast.name,
    O: cast.other,
    I: cast.item,
    C: cast.container,
    ...numbers,
  };
  return template.replace(/\{(\w+)\}/g, (_, key: string) => String(words[key]));
}

/** The sentence of one event. */
export function eventSentence(event: StoryEvent, cast: StoryWords, wording: Wording, random: Random): string {
  return fillTemplate(random.pick(wording.events[event.kind]), cast, { a: event.a, b: event.b });
}

export function drawCast(wording: Wording, random: Random): StoryWords {
  const [name, other] = random.shuffled(wording.names);
  return { name, other, item: random.pick(wording.items), container: random.pick(wording.containers) };
}
