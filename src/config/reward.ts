import type * as z from 'zod';
import { group, list, text } from '../fields';
import { once } from '../once';
import { mostComponents } from '../reward-components/component';
import { componentSchema } from './components';
import { moduleName, modulePath } from './module-path';
import { rewardSnippets } from './snippets';

/** A reward: the weighted sum of its components. The file is `*.reward.json`. */
export const rewardSchema = once(() =>
  group('A reward: the weighted sum of named components.', {
    $schema: text('The JSON schema of this file, for completion in editors.').optional(),
    name: text('Name of the reward in runs and tables.').optional(),
    description: text('The purpose of this reward.').optional(),
    components: list('The components and their weights.', componentSchema(), 'components')
      .min(1, { error: 'a list with at least one component' })
      .max(mostComponents, { error: `a list of at most ${mostComponents} components` }),
  }).meta({
    description: 'A reward: the weighted sum of named components.',
    defaultSnippets: rewardSnippets,
  }),
);

/** A reward config with defaults filled in. */
export type RewardConfig = z.output<ReturnType<typeof rewardSchema>>;
/** A reward config as written. */
export type RewardFile = z.input<ReturnType<typeof rewardSchema>>;

/** The name of a component in metrics and gates. */
export const componentName = ({ name, use }: { name?: string; use: string }) =>
  name ?? (modulePath.test(use) ? moduleName(use) : use);

/** The names of a component's gates. */
export const gatesOf = ({ gate }: { gate: string | string[] }): string[] => (typeof gate === 'string' ? [gate] : gate);
