import { askQuestion, drawProblem } from '../../src/data/arithmetic';
import { type ChainStyle, writeChain } from '../../src/data/arithmetic-chain';
import {
  drawCast,
  eventSentence,
  type StoryEquation,
  type StoryProblem,
  stories,
  type Wording,
  work,
} from '../../src/data/arithmetic-story';
import { Random } from '../../src/random';

/** A row of the base student's pretraining mix: a prompt and its continuation. */
export interface PretrainingRow {
  prompt: string;
  completion: string;
}

/** Adds people, things and phrases that do not occur in the experiment's stories. */
const wider: Wording = {
  names: [...stories.names, 'Kim', 'Paul', 'Rosa', 'Omar', 'Lily', 'Jack'],
  items: [...stories.items, 'balls', 'nuts', 'plums', 'keys', 'candles', 'tickets'],
  containers: [...stories.containers, 'baskets', 'bundles'],
  opening: [...stories.opening, 'There are {x} {I} in the house of {N}.', '{N} owns {x} {I}.'],
  events: {
    gain: [...stories.events.gain, '{N} picks up {a} {I}.', 'Next {N} adds {a} {I}.'],
    lose: [...stories.events.lose, '{N} throws away {a} {I}.', 'Next {O} takes {a} {I} from {N}.'],
    gainGroups: [...stories.events.gainGroups, '{O} brings {N} {a} {C} with {b} {I} in each.'],
    loseGroups: [...stories.events.loseGroups, '{N} throws away {a} {C} with {b} {I} in each.'],
    double: [...stories.events.double, 'Next {N} has twice as many {I}.'],
    triple: [...stories.events.triple, 'Next {N} has three times as many {I}.'],
    halve: [...stories.events.halve, 'Half of the {I} are gone.'],
    share: [...stories.events.share, 'The {I} are divided into {a} equal parts and {N} keeps one part.'],
  },
  asking: [...stories.asking, 'What is the number of {I} now?'],
};

/**
 * Composition of the mix: shares of its rows (the rest are stories with a chain), and rates of the writers' mistakes.
 */
export const mix = {
  /** A sheet of calculations, such as `12 + 7 = 19`: arithmetic without a story. */
  drill: 0.2,
  /**
   * A few of each of the three other kinds of prompt, so that the base has seen such instructions, as a real one has.
   */
  reconstruct: 0.05,
  complete: 0.05,
  rewrite: 0.05,
  /** Chance that a chain has one wrong result, carried on to the end. The same for concise and wordy writers. */
  slip: 0.08,
  /** Chance that a chain misreads or omits one event. */
  misread: 0.07,
} as const;

/** Parameters of a corpus. */
export interface Corpus {
  /** Share of concise solutions; the others are wordy. */
  concise: number;
  seed: number;
}

/** Row number `index` of a corpus: a pure function of the corpus and the index. */
export function pretrainingRow(index: number, { concise, seed }: Corpus): PretrainingRow {
  const random = new Random(seed, 'pretraining', index);
  let draw = random.uniform();
  const falls = (share: number) => {
    draw -= share;
    return draw < 0;
  };
  if (falls(mix.drill)) return calculationSheet(random);
  const { question, chain, steps } = story(random, concise);
  const plain = { prompt: `Question: ${question}\nSolution:\n`, completion: chain };
  if (falls(mix.reconstruct)) {
    const masked = steps.slice();
    if (random.uniform() < 0.7) masked[random.integer(0, steps.length - 1)] = '[MASK]';
    return { prompt: listed(question, 'Steps, shuffled, some missing:', random.shuffled(masked)), completion: chain };
  }
  if (falls(mix.complete)) {
    const ratio = 0.3 + 0.6 * random.uniform();
    const masked = steps.map((step) => (random.uniform() < ratio ? '[MASK]' : step));
    return { prompt: listed(question, 'Steps, some missing:', masked), completion: chain };
  }
  if (falls(mix.rewrite)) return rewrite(random);
  return plain;
}

function listed(question: string, header: string, steps: readonly string[]): string {
  return `Question: ${question}\n${header}\n${steps.map((step) => `- ${step}`).join('\n')}\nSolution:\n`;
}

/** Two chains for one story, the second shorter. */
function rewrite(random: Random): PretrainingRow {
  const told = setting(random);
  const long = writeChain(told, told.equations, wordyStyle(random), random);
  const short = writeChain(told, told.equations, terseStyle(random), random);
  return {
    prompt: `Question: ${told.question}\nA correct solution:\n${long}\nA much shorter solution:\n`,
    completion: short,
  };
}

function setting(random: Random) {
  const problem = drawProblem({ operations: [1, 5], maxValue: random.pick([20, 40, 60, 60]) }, 'pretrain', random);
  const wording = random.uniform() < 0.5 ? stories : wider;
  const cast = drawCast(wording, random);
  const sentences = problem.events.map((event) => eventSentence(event, cast, wording, random));
  const equations = work(problem);
  return { problem, cast, sentences, equations, question: askQuestion({ problem, sentences, cast }, wording, random) };
}

function story(random: Random, concise: number) {
  const told = setting(random);
  const { problem, equations } = storyWithMistake(told.problem, random);
  const style = random.uniform() < concise ? terseStyle(random) : wordyStyle(random);
  const sentences = problem.events.map((event) => told.sentences[told.problem.events.indexOf(event.told)]);
  const chain = writeChain({ problem, sentences, cast: told.cast }, equations, style, random);
  const steps = [...chain.matchAll(/^Step \d+: (.*)$/gm)].map((match) => match[1]);
  return { question: told.question, chain, steps };
}

/** A story with mistakes: an event omitted or reversed, or a wrong result that later steps use. */
function storyWithMistake(problem: StoryProblem, random: Random) {
  let events = problem.events.map((event) => ({ ...event, told: event }));
  if (random.uniform() < mix.misread) {
    const at = random.integer(0, events.length - 1);
    const flipped = { gain: 'lose', lose: 'gain', gainGroups: 'loseGroups', loseGroups: 'gainGroups' } as const;
    const { kind } = events[at];
    if (events.length > 1 && random.uniform() < 0.5) events = events.filter((_, i) => i !== at);
    else if (kind in flipped) events[at] = { ...events[at], kind: flipped[kind as keyof typeof flipped] };
  }
  const read = { start: problem.start, events };
  let slipAt = random.uniform() < mix.slip ? random.integer(0, work(read).length - 1) : -1;
  const equations: StoryEquation[] = work(read, ({ result }) => {
    const stated = slipAt-- === 0 ? result + random.pick([-10, -2, -1, 1, 2, 10]) : result;
    return Math.max(0, stated);
  });
  return { problem: read, equations };
}

function wordyStyle(random: Random): ChainStyle {
  const v = 0.6 + 0.4 * random.uniform();
  return { plan: v, setUp: v, restate: v, announce: v, conclude: v, check: 0.25 * v, sumUp: v };
}

function terseStyle(random: Random): ChainStyle {
  const v = 0.3 * random.uniform();
  return { plan: v, setUp: v / 2, restate: random.uniform(), announce: v / 2, conclude: v, check: 0, sumUp: v / 2 };
}

/** A sheet of calculations with numbers up to 60. */
function calculationSheet(random: Random): PretrainingRow {
  const most = 60;
  const equation = () => {
    const operator = random.pick(['+', '+', '-', '-', '*', '/'] as const);
    const product = operator === '*' || operator === '/';
    const b = product ? random.integer(2, 9) : random.integer(1, most - 1);
    const a = random.integer(1, product ? Math.floor(most / b) : most - b);
    const [left, right, result] = {
      '+': [a, b, a + b],
      '-': [a + b, b, a],
      '*': [a, b, a * b],
      '/': [a * b, b, a],
    }[operator];
    return `${left} ${operator} ${right} = ${result}.`;
  };
  return { prompt: 'Calculations:\n', completion: Array.from({ length: 14 }, equation).join('\n') };
}
