/** What a reward component is made of: its schema, its traits and its function. */
import * as z from 'zod';
import { group, list, number, text, whole } from '../fields';
import { once } from '../once';
import type { RewardInput } from './input';

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

/** A component's options with defaults filled in. */
export type Options<T extends z.core.$ZodShape> = z.output<z.ZodObject<T, z.core.$strict>>;

interface Definition<N extends string, T extends z.core.$ZodShape> {
  /** In reward files, as the value of `use`. */
  name: N;
  /** In the editor. */
  description: string;
  /** The schemas of its options; made on first use, as Zod is slow at it. */
  options(): T;
  traits?: Traits<Options<T>>;
  /** The value of a completion, or null if the component does not apply. */
  score(input: RewardInput, options: Options<T>): number | null;
}

export function component<const N extends string, T extends z.core.$ZodShape>(definition: Definition<N, T>) {
  const { name, description, options, traits = {}, score } = definition;
  const schema = once(() => {
    const constants = group('Constants of this component.', options());
    return group(description, {
      use: z.enum([name]).meta({ description: 'The component.', enumDescriptions: [description] }),
      name: text('Name in metrics and gates (default: the value of `use`).').optional(),
      weight: weight(),
      gate: gateOf(traits.gate ?? []),
      options: constants.prefault({} as z.input<typeof constants>), // missing options are then reported by name
    });
  });
  return { name, description, schema, traits, score };
}

export const weight = () => number('Factor of the value in the sum.', { min: -1e6, max: 1e6 }).default(1);

/** In a reward. The checks of gates compare components with each other. */
export const mostComponents = 100;

export const gateOf = (gate: string[]) =>
  text('A component of this file.')
    .or(
      list('Components of this file.', text('A component of this file.'), 'names').max(mostComponents, {
        error: `a list of at most ${mostComponents} names`,
      }),
    )
    .describe('Component (or list of them) that must be above 0 for this one to apply; [ ] = always applies.')
    .default(gate);

export const maxTokens = () =>
  whole('Longest completion in tokens: maxNewTokens of the stage that uses this reward.', { min: 1, example: 384 });
