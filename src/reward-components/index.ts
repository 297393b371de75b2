/** All reward components but those in code: the one list of them, in the order of editor completions. */

import { brevity } from './brevity';
import { bridgeStage2, bridgeStage3 } from './bridge';
import { correctness } from './correctness';
import { cosine } from './cosine';
import { format } from './format';
import { grounded } from './grounded';
import type { RewardInput } from './input';
import { kimi } from './kimi';
import { l1 } from './l1';
import { lead } from './lead';
import { phrases } from './phrases';
import { repetition } from './repetition';
import { softOverlong } from './soft-overlong';
import { stepValidity } from './step-validity';

export const components = [
  correctness,
  grounded,
  format,
  brevity,
  stepValidity,
  repetition,
  phrases,
  softOverlong,
  cosine,
  kimi,
  l1,
  lead,
  bridgeStage2,
  bridgeStage3,
] as const;

type Component = (typeof components)[number];
export type ComponentName = Component['name'];
type OptionsByName = { [C in Component as C['name']]: Parameters<C['score']>[1] };
/** The options of a component with defaults filled in. */
export type ComponentOptions<N extends ComponentName> = OptionsByName[N];
type Registry = { [N in ComponentName]: (input: RewardInput, options: ComponentOptions<N>) => number | null };

/** The function of each component by its name. */
export const registry = Object.fromEntries(components.map(({ name, score }) => [name, score])) as unknown as Registry;

type SchemasOf<T extends readonly { schema(): unknown }[]> = { [K in keyof T]: ReturnType<T[K]['schema']> };

/** Their schemas, in the same order. */
export const componentSchemas = () =>
  components.map(({ schema }) => schema()) as unknown as SchemasOf<typeof components>;
