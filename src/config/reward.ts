import type * as z from 'zod';
import { once } from '../once';
import { componentSchema } from './components';
import { group, list, text } from './fields';
import { rewardSnippets } from './snippets';

/** A reward: the weighted sum of its components. The file is `*.reward.json`. */
export const rewardSchema = once(() =>
  group('A reward: the weighted sum of named components.', {
    $schema: text('The JSON schema of this file, for completion in editors.').optional(),
    name: text('Name of the reward in runs and tables.').optional(),
    description: text('What this reward is for.').optional(),
    components: list('What is measured, and how much each counts.', componentSchema(), 'components').min(1, {
      error: 'a list with at least one component',
    }),
  }).meta({
    description: 'A reward: the weighted sum of named components.',
    defaultSnippets: rewardSnippets,
  }),
);

/** A reward config with defaults filled in. */
export type RewardConfig = z.output<ReturnType<typeof rewardSchema>>;
/** A reward config as written. */
export type RewardFile = z.input<ReturnType<typeof rewardSchema>>;

/** A component's name in metrics and gates. */
export const nameOf = (component: { name?: string; use: string }) => component.name ?? component.use;

/** The names that a component is gated by. */
export const gatesOf = ({ gate }: { gate: string | string[] }): string[] => (typeof gate === 'string' ? [gate] : gate);
