import type { ComponentName, ComponentOptions } from '../config/components';
import { bridgeStage2, bridgeStage3 } from './bridge';
import type { RewardInput } from './input';
import { brevity, cosine, kimi, l1, lead, softOverlong } from './length';
import { correctness, format, grounded, repetition, stepValidity } from './text';

/** A component: the value of a completion, or null where it does not apply. */
export type Component<N extends ComponentName> = (input: RewardInput, options: ComponentOptions<N>) => number | null;

/** Every component by the name that configs use; texts and options stand in src/config/components.ts. */
export const registry: { [N in ComponentName]: Component<N> } = {
  correctness,
  grounded,
  format,
  brevity,
  stepValidity,
  repetition,
  softOverlong,
  cosine,
  kimi,
  l1,
  lead,
  bridgeStage2,
  bridgeStage3,
};
