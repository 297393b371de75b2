/** The reward components by name: what each means and what can be set. Their functions are in src/rewards. */
import * as z from 'zod';
import { once } from '../once';
import { choice, flag, group, list, notAnObject, number, share, text, whole } from './fields';
import { componentSnippet } from './snippets';

const gateOf = (gate: string[]) =>
  text('A component of this file.')
    .or(list('Components of this file.', text('A component of this file.'), 'names'))
    .describe('Component (or list of them) that must be above 0, or this one does not apply; [ ] = always applies.')
    .default(gate);

/** What the composition of a reward has to know of a component; `O` are its options. */
export interface Traits<O = never> {
  /** Its gate where a reward names none. */
  gate?: string[];
  /** It pays for the right answer itself. */
  judgesAnswer?: boolean;
  /** It asks for steps, if only for their labels. */
  asksForSteps?: boolean;
  /** Its value rises as the text gets shorter, right or wrong: without a gate the shortest wrong text wins. */
  needsGate?: boolean;
  /** The highest value it can take; absent: no limit is known. */
  highest?(options: O): number;
}

const traits = new Map<string, Traits>();

function component<const N extends string, T extends z.core.$ZodShape>(
  name: N,
  description: string,
  options: T,
  its: Traits<z.output<z.ZodObject<T, z.core.$strict>>> = {},
) {
  traits.set(name, its);
  const constants = group('Constants of this component.', options);
  return group(description, {
    use: z.enum([name]).meta({ description: 'What is measured.', enumDescriptions: [description] }),
    name: text('Name in metrics and gates; without it, that of `use`.').optional(),
    weight: number('Factor on the value in the sum.', { min: -1e6, max: 1e6 }).default(1),
    gate: gateOf(its.gate ?? []),
    options: constants.prefault({} as z.input<typeof constants>), // what it lacks is then reported by name
  });
}

const maxTokens = () =>
  whole('Longest completion in tokens: maxNewTokens of the stage that uses this reward.', { min: 1, example: 384 });

const correctness = () =>
  component(
    'correctness',
    'Right or wrong final answer, compared as exact numbers.',
    {
      right: number('Value of a right answer.').default(1),
      wrong: number('Value of a wrong answer, or of none.').default(0),
      extraction: choice('Where the answer is looked for.', {
        strict: 'Only after an answer mark or in a box.',
        lenient: 'Else the last number of the text.',
      }).default('strict'),
      acceptTruncated: flag('A completion that was cut off can be right.').default(false),
    },
    { judgesAnswer: true, highest: ({ right, wrong }) => Math.max(right, wrong) },
  );

const grounded = () =>
  component(
    'grounded',
    'The steps arrive at the answer: it comes out of true equations or sentences over the ' +
      'numbers of the question; no false equation, no empty or repeated step, one answer. As a ' +
      'gate it is shut by a fault alone: where nothing can be computed, it stays open.',
    {
      grounded: number('Value of steps that arrive at the answer.').default(0),
      ungrounded: number(
        'Value of steps that do not, or of none: by default a right answer earns no more than a wrong one.',
      ).default(-2),
    },
    { gate: ['correctness'] },
  );

const format = () =>
  component(
    'format',
    'Steps marked and numbered in order ("Step 1:", "Step 2:", ...) and an answer mark after them.',
    {
      valid: number('Value of the right form.').default(1),
      malformed: number('Value of any other form.').default(-1),
      steps: flag('Needs step marks.').default(true),
      answer: flag('Needs an answer mark after the last step.').default(true),
    },
    { highest: ({ valid, malformed }) => Math.max(valid, malformed) },
  );

const brevity = () =>
  component(
    'brevity',
    "Shorter than the teacher's own chain, in student tokens: 0 at its length, continuous. Needs the teacher's chain.",
    {
      under: number('Value for each share of the length saved: completion of half the length = under/2.', {
        min: 0,
      }).default(1),
      over: number('Penalty for each share of the length in excess.', { min: 0 }).default(1.6),
      floor: number('Lowest value.', { max: 0 }).default(-1),
      stepBonus: number('Value of each step saved. Counts only as far as the tokens fell too: labels are free.', {
        min: 0,
      }).default(0.1),
      maxSteps: whole('Steps saved that count at most.').default(3),
    },
    { gate: ['correctness'], needsGate: true },
  );

const stepValidity = () =>
  component(
    'stepValidity',
    'Share of the equations in the text that are true; does not apply to a text without equations.',
    {},
  );

const repetition = () =>
  component(
    'repetition',
    'Penalty for repeated n-grams of tokens: -(1 - distinct/total) * penalty (arXiv 2502.03373).',
    {
      n: whole('Tokens in an n-gram.', { min: 1 }).default(3),
      penalty: number('Value taken off when everything repeats.', { min: 0 }).default(1),
    },
    { highest: () => 0 },
  );

const softOverlong = () =>
  component(
    'softOverlong',
    'Falls from 0 to -1 over the last tokens before the limit (DAPO, arXiv 2503.14476, eq. 13).',
    {
      maxTokens: maxTokens(),
      buffer: whole('Tokens before the limit over which the value falls; 0 = a sharp edge at the limit.').default(64),
    },
    { highest: () => 0 },
  );

const cosine = () =>
  component(
    'cosine',
    'Right answers fall, wrong ones rise with length along half a cosine (arXiv 2502.03373).',
    {
      maxTokens: maxTokens(),
      rightShort: number('Value of the shortest right answer.').default(1),
      rightLong: number('Value of the longest right answer.').default(0.5),
      wrongShort: number('Value of the shortest wrong answer.').default(-1),
      wrongLong: number('Value of the longest wrong answer.').default(-0.5),
    },
    { judgesAnswer: true },
  );

const kimi = () =>
  component(
    'kimi',
    'Length relative to the group: 0.5 shortest .. -0.5 longest, wrong ' +
      'ones never above 0 (Kimi k1.5, arXiv 2501.12599).',
    {},
    { judgesAnswer: true },
  );

const l1 = () =>
  component(
    'l1',
    'Distance of the length from a target (L1, arXiv 2503.04697).',
    {
      mode: choice('Which of the two rewards of the paper.', {
        exact: '1 if right, minus alpha for each token off the target.',
        max: 'If right: alpha * (target - length) + 0.5, kept between 0 and 1; wrong: 0.',
      }).default('exact'),
      target: whole('Target length in tokens.', { min: 1 })
        .or(z.enum(['teacher'], { error: '"teacher"' }))
        .describe('Target length in tokens, or "teacher" for the length of the teacher\'s chain.')
        .default('teacher'),
      alpha: number('Value of one token.', { min: 0 }).default(0.0003),
    },
    { judgesAnswer: true },
  );

const lead = () =>
  component(
    'lead',
    'exp(-decay * z), z = length among the right answers of the group in ' +
      'standard deviations; wrong: -1 (GRPO-LEAD, arXiv 2504.09696).',
    {
      decay: number('Strength of the length term.', { min: 0 }).default(0.05),
      wrong: number('Value of a wrong answer.').default(-1),
    },
    { judgesAnswer: true },
  );

const bridgeStage2 = () =>
  component(
    'bridgeStage2',
    "Hierarchical reward of BRIDGE's release for Stage 2: answer, then form, then steps and words.",
    {
      wrong: number('Value of a wrong answer.').default(-2),
      malformed: number('Value of a right answer without a step mark or an answer mark.').default(-1),
      right: number('Value of a right answer in the right form, before the length terms.').default(1),
      stepBonus: number('Value of each step saved against the teacher.').default(0.3),
      maxSteps: whole('Steps saved that count at most.').default(3),
      wordsPerStep: number('Words allowed for each teacher step; their product is the budget B.', {
        above: 0,
      }).default(35),
      knee: share('Share of B from which on words cost.').default(0.8),
      bonus: number('Value of each word saved below knee * B.', { min: 0 }).default(0.001),
      maxBonus: number('Highest value of saved words.', { min: 0 }).default(0.2),
      near: number('Cost of each word between knee * B and B.', { min: 0 }).default(0.002),
      over: number('Cost of each word beyond B (counted from B: the release jumps there).', { min: 0 }).default(0.01),
      floor: number('Lowest value of the word term beyond B.', { max: 0 }).default(-1),
    },
    { judgesAnswer: true, asksForSteps: true },
  );

const bridgeStage3 = () =>
  component(
    'bridgeStage3',
    "Reward of BRIDGE's release for Stage 3: answer, then form, then words against the teacher's whole chain.",
    {
      wrong: number('Value of a wrong answer.').default(-2),
      malformed: number('Value of a right answer without a step mark or an answer mark.').default(-1),
      right: number('Value of a right answer in the right form, before the length term.').default(1),
      over: number('Cost of being twice as long as the teacher, the most that is charged.', { min: 0 }).default(0.5),
      knee: share('Share of the length from which on shorter earns.').default(0.8),
      half: share('Share of the length at which `bonus` is reached.').default(0.5),
      bonus: number('Value at `half`.', { min: 0 }).default(0.5),
      extra: number('Highest value beyond that.', { min: 0 }).default(0.3),
      span: number('Share of the length below `half` over which `extra` is earned.', { above: 0, max: 1 }).default(0.3),
    },
    { judgesAnswer: true, asksForSteps: true },
  );

/** All of them, in the order in which editors offer them. */
export const componentSchemas = once(
  () =>
    [
      correctness(),
      grounded(),
      format(),
      brevity(),
      stepValidity(),
      repetition(),
      softOverlong(),
      cosine(),
      kimi(),
      l1(),
      lead(),
      bridgeStage2(),
      bridgeStage3(),
    ] as const,
);

/** The traits of a component that exists. */
export function traitsOf(use: ComponentName): Traits {
  componentSchemas();
  return traits.get(use)!;
}

const snippetOf = (schema: ReturnType<typeof componentSchemas>[number]) => {
  const options = Object.entries<z.core.$ZodType>(schema.shape.options.unwrap().shape);
  const required = options.filter(([, option]) => !z.safeParse(option, undefined).success).map(([name]) => name);
  return componentSnippet(schema.shape.use.options[0], schema.description, required);
};

export const componentSchema = once(() =>
  z
    .discriminatedUnion('use', componentSchemas(), { error: notAnObject })
    .meta({ defaultSnippets: componentSchemas().map(snippetOf) }),
);
/** One component of a reward config, defaults filled in. */
export type RewardComponent = z.output<ReturnType<typeof componentSchema>>;
export type ComponentName = RewardComponent['use'];
export type ComponentOptions<N extends ComponentName> = Extract<RewardComponent, { use: N }>['options'];
