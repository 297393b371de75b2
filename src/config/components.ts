/** The components of a reward file: ours (src/reward-components), and those in code. */
import * as z from 'zod';
import { group, notAnObject, number, text } from '../fields';
import { once } from '../once';
import { type ComponentName, componentSchemas, components } from '../reward-components';
import { gateOf, type Traits, weight } from '../reward-components/component';
import { type ModulePath, modulePath } from './module-path';
import { codeSnippet, componentSnippet } from './snippets';

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

/** The traits of one of our components. */
export const traitsOf = (use: ComponentName): Traits => components.find(({ name }) => name === use)!.traits;

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

export const isCode = (component: RewardComponent): component is CodeComponent => modulePath.test(component.use);
