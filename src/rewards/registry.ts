import type { ComponentName, ComponentOptions } from '../config/components';
import * as bridge from './bridge';
import type { RewardInput } from './input';
import * as length from './length';
import * as text from './text';

/** A component: the value of a completion, or null if it does not apply. */
export type Component<N extends ComponentName> = (input: RewardInput, options: ComponentOptions<N>) => number | null;

/** Every component by its name in configs, which is its function's name; options are in src/config/components.ts. */
export const registry: { [N in ComponentName]: Component<N> } = { ...text, ...length, ...bridge };
