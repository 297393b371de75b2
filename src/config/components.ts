/** The reward components by name: meaning, options and traits. Their functions are in src/rewards. */
import * as z from 'zod';
import { once } from '../once';
import { choice, flag, group, list, notAnObject, number, share, text, whole } from './fields';
import { type ModulePath, modulePath } from './module-path';
import { codeSnippet, componentSnippet } from './snippets';

/** In a reward. The checks of gates compare components with each other. */
export const mostComponents = 100;

const gateOf = (gate: string[]) =>
  text('A component of this file.')
    .or(list('Components of this file.', text('A component of this file.'), 'names').max(mostComponents))
    .describe('Component (or list of them) that must be above 0 for this one to apply; [ ] = always applies.')
    .default(gate);

/** Traits of a component that composing a reward depends on; `O` are its options. */
export interface Traits<O = never> {
  /** Its gate, unless the reward sets one. */
  gate?: string[];
  /** It rewards the right answer itself. */
  judgesAnswer?: boolean;
  /** It requires steps, at least their labels. */
  asksForSteps?: boolean;
  /** Its value rises as the text gets shorter, right or wrong: without a gate the shortest wrong text would win. */
  needsGate?: boolean;
  /** Its highest possible value; absent if unbounded. */
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
    use: z.enum([name]).meta({ description: 'The component.', enumDescriptions: [description] }),
    name: text('Name in metrics and gates (default: the value of `use`).').optional(),
    weight: weight(),
    gate: gateOf(its.gate ?? []),
    options: constants.prefault({} as z.input<typeof constants>), // missing options are then reported by name
  });
}

const weight = () => number('Factor of the value in the sum.', { min: -1e6, max: 1e6 }).default(1);

/** A reward in code (docs/rewards.md). Its traits are declared in the module (code-module.ts). */
const codeComponent = () => {
  const about = 'A reward in code: a JavaScript module of yours, which runs in a thread of its own.';
  // A text that is no path ends the check of this alternative, so that the names of the others are reported.
  const use = text('Path of the module (.mjs, .js or .cjs), relative to this file, as in "./my.reward.mjs".').regex(
    modulePath,
    { abort: true, error: 'the name of a component, or the path of a module such as "./my.reward.mjs"' },
  );
  return group(about, {
    use: use as unknown as z.ZodType<ModulePath, ModulePath>,
    name: text('Name in metrics and gates (default: the name of the file without its endings).').optional(),
    weight: weight(),
    gate: gateOf([]),
    options: z.unknown().describe('Any JSON, which the module gets as `context.options`.').default({}),
    timeLimit: number(
      'Seconds for all completions that are scored at once, such as those of an update. After it the module is ' +
        'stopped and does not apply to them.',
      { above: 0, max: 3600 },
    ).default(10),
  });
};

const maxTokens = () =>
  whole('Longest completion in tokens: maxNewTokens of the stage that uses this reward.', { min: 1, example: 384 });

const correctness = () =>
  component(
    'correctness',
    'Right or wrong final answer, compared as exact numbers.',
    {
      right: number('Value of a right answer.').default(1),
      wrong: number('Value of a wrong or missing answer.').default(0),
      extraction: choice('Where the answer is searched.', {
        strict: 'Only after an answer mark or in a box.',
        lenient: 'If there is none, the last number of the text.',
      }).default('strict'),
      acceptTruncated: flag('A completion that was cut off can be right.').default(false),
    },
    { judgesAnswer: true, highest: ({ right, wrong }) => Math.max(right, wrong) },
  );

const grounded = () =>
  component(
    'grounded',
    'The steps lead to the answer: it follows from true equations, or from sentences over the ' +
      'numbers of the question; no false equation, no empty or repeated step, one answer. As a ' +
      'gate it closes only on an error: where nothing can be computed, it stays open.',
    {
      grounded: number('Value of steps that lead to the answer.').default(0),
      ungrounded: number(
        'Value of steps that do not, or of no steps: by default a right answer then earns no more than a wrong one.',
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
      under: number('Value per share of the length saved: a completion of half the length gets under/2.', {
        min: 0,
      }).default(1),
      over: number('Penalty per share of the length in excess.', { min: 0 }).default(1.6),
      floor: number('Lowest value.', { max: 0 }).default(-1),
      stepBonus: number('Value of each step saved. Counts only as far as tokens are saved too, as labels are free.', {
        min: 0,
      }).default(0.1),
      maxSteps: whole('Maximum number of saved steps that count.').default(3),
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
      penalty: number('Penalty when everything repeats.', { min: 0 }).default(1),
    },
    { highest: () => 0 },
  );

const phrases = () =>
  component(
    'phrases',
    'A value for each occurrence of some texts: for tags that a completion needs ("</think>"), or ' +
      'against filler ("Wait").',
    {
      texts: list('The texts; upper and lower case count as the same.', text('A text.').min(1), 'texts').min(1, {
        error: 'a list with at least one text',
      }),
      each: number('Value of an occurrence.').default(-0.1),
      most: whole('Occurrences of all texts together that count.', { min: 1 }).default(5),
    },
    { highest: ({ each, most }) => Math.max(0, each * most) },
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
    'Right answers lose value with length and wrong ones gain, along half a cosine (arXiv 2502.03373).',
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
    'Length relative to the group: 0.5 for the shortest to -0.5 for the longest, wrong ' +
      'ones at most 0 (Kimi k1.5, arXiv 2501.12599).',
    {},
    { judgesAnswer: true },
  );

const l1 = () =>
  component(
    'l1',
    'Distance of the length from a target (L1, arXiv 2503.04697).',
    {
      mode: choice('One of the two rewards of the paper.', {
        exact: '1 if right, minus alpha for each token off the target.',
        max: 'If right: alpha * (target - length) + 0.5, clipped to [0, 1]; wrong: 0.',
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
      stepBonus: number("Value of each step saved compared with the teacher's chain.").default(0.3),
      maxSteps: whole('Maximum number of saved steps that count.').default(3),
      wordsPerStep: number('Words allowed for each teacher step; their product is the budget B.', {
        above: 0,
      }).default(35),
      knee: share('Share of B above which words cost.').default(0.8),
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
      over: number('Cost of being twice as long as the teacher, which is the maximum.', { min: 0 }).default(0.5),
      knee: share('Share of the length below which shorter texts earn.').default(0.8),
      half: share('Share of the length at which `bonus` is reached.').default(0.5),
      bonus: number('Value at `half`.', { min: 0 }).default(0.5),
      extra: number('Highest value beyond that.', { min: 0 }).default(0.3),
      span: number('Share of the length below `half` over which `extra` is earned.', { above: 0, max: 1 }).default(0.3),
    },
    { judgesAnswer: true, asksForSteps: true },
  );

/** All components but those in code, in the order of editor completions. */
export const componentSchemas = once(
  () =>
    [
      correctness(),
      grounded(),
      format(),
      brevity(),
      stepValidity(),
      repetition(),
      phrases(),
      softOverlong(),
      cosine(),
      kimi(),
      l1(),
      lead(),
      bridgeStage2(),
      bridgeStage3(),
    ] as const,
);

/** The traits of one of these components. */
export function traitsOf(use: ComponentName): Traits {
  componentSchemas();
  return traits.get(use)!;
}

const snippetOf = (schema: ReturnType<typeof componentSchemas>[number]) => {
  const options = Object.entries<z.core.$ZodType>(schema.shape.options.unwrap().shape);
  const required = options
    .filter(([, option]) => !z.safeParse(option, undefined).success)
    .map(([name, option]) => ({ name, texts: option instanceof z.ZodArray }));
  return componentSnippet(schema.shape.use.options[0], schema.description, required);
};

const builtInSchema = once(() => z.discriminatedUnion('use', componentSchemas(), { error: notAnObject }));
const codeSchema = once(codeComponent);

export const componentSchema = once(() =>
  z
    .union([builtInSchema(), codeSchema()])
    .meta({ defaultSnippets: [...componentSchemas().map(snippetOf), codeSnippet] }),
);
/** One of our components with defaults filled in. */
type BuiltInComponent = z.output<ReturnType<typeof builtInSchema>>;
/** A reward in code; `use` is the path of its module. */
export type CodeComponent = z.output<ReturnType<typeof codeSchema>>;
/** One component of a reward config with defaults filled in. */
export type RewardComponent = BuiltInComponent | CodeComponent;
export type ComponentName = BuiltInComponent['use'];
export type ComponentOptions<N extends ComponentName> = Extract<BuiltInComponent, { use: N }>['options'];

export const isCode = (component: RewardComponent): component is CodeComponent => modulePath.test(component.use);
