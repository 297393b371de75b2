import { isCode, type RewardComponent } from '../config/components';
import { componentName, gatesOf, type RewardConfig } from '../config/reward';
import { largestNumber } from '../fields';
import { registry } from '../reward-components';
import { groundednessOf, isRight, type RewardInput } from '../reward-components/input';

export type { RewardInput } from '../reward-components/input';

/** The reward of one completion. */
export interface RewardScore {
  /** Sum of the parts, used by the loss. null when no component applies. */
  total: number | null;
  /** Weighted value of each component by its name; null if it does not apply. */
  parts: Record<string, number | null>;
  /** Components that failed, with the reason; they do not apply, rather than count as 0. */
  failures: Record<string, string>;
}

type Score = (input: RewardInput, options: never) => number | null;

/** Scores one completion. `components` can be replaced for tests. */
export function scoreCompletion(config: RewardConfig, input: RewardInput, components = registry): RewardScore {
  const values = new Map<string, number | null>();
  const failures: Record<string, string> = {};

  /** The unweighted value, computed once; null if the gate is closed. */
  const resolve = (component: RewardComponent): number | null => {
    const name = componentName(component);
    const known = values.get(name);
    if (known !== undefined) return known;
    values.set(name, null); // stops at a cycle of gates, which the config check refuses
    const value = gatesOf(component).every(isOpen) ? measure(component) : null;
    values.set(name, value);
    return value;
  };
  const isOpen = (gate: string): boolean => {
    const component = config.components.find((one) => componentName(one) === gate);
    if (!component) return gate === 'correctness' && isRight(input);
    // Closed only by an error in the steps, whatever its value: without a verdict it stays open.
    if (component.use === 'grounded') return gatesOf(component).every(isOpen) && groundednessOf(input).grounded;
    return (resolve(component) ?? 0) > 0;
  };
  const measure = (component: RewardComponent): number | null => {
    if (isCode(component)) return input.code?.[componentName(component)] ?? null;
    try {
      const value = (components[component.use] as Score)(input, component.options as never);
      if (value === null || Math.abs(value) <= largestNumber) return value;
      throw new Error(`the value is ${value}, not a number from ${-largestNumber} to ${largestNumber}`);
    } catch (error) {
      failures[componentName(component)] = error instanceof Error ? error.message : String(error);
      return null;
    }
  };

  const parts: Record<string, number | null> = {};
  let total: number | null = null;
  for (const component of config.components) {
    const value = resolve(component);
    const part = value === null ? null : component.weight * value;
    parts[componentName(component)] = part;
    if (part !== null) total = (total ?? 0) + part;
  }
  return { total, parts, failures };
}

/** Scores all completions of one prompt, each in the context of the others. */
export function scoreGroup(config: RewardConfig, inputs: readonly RewardInput[]): RewardScore[] {
  const group: RewardInput[] = inputs.map((input) => ({ ...input }));
  for (const input of group) input.group = group;
  return group.map((input) => scoreCompletion(config, input));
}
