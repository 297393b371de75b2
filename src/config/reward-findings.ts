/** Checks across the components of a reward, which a schema cannot express. */
import { components } from '../reward-components';
import type { Traits } from '../reward-components/component';
import { declaredTraits, type FindModule, type FoundModule } from './code-module';
import { isCode, type RewardComponent, traitsOf } from './components';
import { type Change, error, type Finding, type Path, warning } from './issue';
import { componentName, gatesOf, type RewardConfig } from './reward';
import { suggest } from './suggest';

type Judged = RewardComponent & { traits: Traits };
type ComponentList = readonly Judged[];

/** `base` is the path of the reward in a larger value. Without `find`, modules are ignored. */
export function rewardFindings(
  reward: RewardConfig,
  { base = [], find }: { base?: Path; find?: FindModule } = {},
): Finding[] {
  const modules = reward.components.map((one) => (isCode(one) && find ? find(one.use) : {}));
  const components = reward.components.map((one, i) => ({ ...one, traits: traitsWith(one, modules[i]) }));
  const names = components.map(componentName);
  const found: Finding[] = [
    ...modules.flatMap(({ problem }, i) => (problem ? [moduleFinding(i, problem)] : [])),
    ...listFindings(components, names),
    ...components.flatMap((_, i) => [
      ...nameFindings(components, names, i),
      ...gateFindings(components, names, i),
      ...dependencyFindings(components, i),
    ]),
  ];
  const at = (path: Path) => [...base, 'components', ...path];
  return found.map((finding) => ({
    ...finding,
    path: at(finding.path),
    changes: finding.changes?.map((change) => ({ ...change, path: at(change.path) })),
  }));
}

/** A module that was not read may have any trait, and is not warned about. */
function traitsWith(component: RewardComponent, { text }: FoundModule): Traits {
  if (!isCode(component)) return traitsOf(component.use);
  return text === undefined ? { judgesAnswer: true, asksForSteps: true } : declaredTraits(text);
}

const moduleFinding = (
  i: number,
  { severity, message, remedy, use }: NonNullable<FoundModule['problem']>,
): Finding => ({
  severity: severity ?? 'error',
  path: [i, 'use'],
  message,
  remedy,
  replacement: use && JSON.stringify(use),
});

/** Checks of all components together. Paths are relative to the list of components. */
function listFindings(components: ComponentList, names: readonly string[]): Finding[] {
  const found: Finding[] = [];
  if (components.every(({ weight }) => weight === 0))
    found.push(
      error(
        [],
        'All weights are 0: every completion would get the same reward.',
        'Give a component another weight.',
        ...names.map((name, i) => ({ title: `Give "${name}" the weight 1`, path: [i, 'weight'], value: 1 })),
      ),
    );
  const judges = components.filter(({ traits }) => traits.judgesAnswer);
  if (judges.length === 0)
    found.push(
      warning([], 'No component rewards a right answer.', 'Add { "use": "correctness" }.', addition('correctness', 0)),
    );
  if (judges.some(({ traits }) => !traits.asksForSteps) && !components.some(({ use }) => use === 'grounded'))
    found.push(
      warning(
        [],
        'No component requires steps that lead to the answer: a bare or copied answer earns as much as reasoning.',
        'Add { "use": "grounded" }.',
        addition('grounded', 1),
      ),
    );
  return found;
}

function nameFindings(components: ComponentList, names: readonly string[], i: number): Finding[] {
  const name = names[i];
  if (names.indexOf(name) === i) return [];
  const fresh = freshName(name, names);
  return [
    error(
      [i, components[i].name ? 'name' : 'use'],
      `Two components are named "${name}".`,
      'Give one of them another "name".',
      { title: `Name it "${fresh}"`, path: [i, 'name'], value: fresh },
    ),
  ];
}

/** Checks of single gates: whether the component exists and can open the gate. */
function gateFindings(components: ComponentList, names: readonly string[], i: number): Finding[] {
  const [name, { gate: written }] = [names[i], components[i]];
  return gatesOf(components[i]).flatMap((gate, j) => {
    const path = [i, 'gate', ...(typeof written === 'string' ? [] : [j])];
    const behind = components[names.indexOf(gate)];
    if (behind) return behind.use === 'grounded' || highest(behind) > 0 ? [] : [closedGate(path, name, gate)];
    // The default gate works without a component of that name: the answer is then judged just for the gate.
    return gate === 'correctness' ? [] : [unknownGate(path, name, gate, names)];
  });
}

const closedGate = (path: Path, name: string, gate: string): Finding =>
  error(
    path,
    `The gate of "${name}" never opens: "${gate}" is never above 0.`,
    `Give "${gate}" an option that is above 0, or gate by another component.`,
  );

function unknownGate(path: Path, name: string, gate: string, names: readonly string[]): Finding {
  const meant = suggest(gate, names);
  const remedy = meant ? `Did you mean "${meant}"?` : `Components here: ${names.join(', ')}.`;
  const exists = components.some(({ name }) => name === gate);
  return {
    ...error(path, `The gate of "${name}" names an unknown component "${gate}".`, remedy),
    replacement: meant ? JSON.stringify(meant) : undefined,
    changes: exists ? [addition(gate, 0)] : [],
  };
}

/** Checks of dependencies through gates. */
function dependencyFindings(components: ComponentList, i: number): Finding[] {
  const { traits, gate } = components[i];
  const name = componentName(components[i]);
  const found: Finding[] = [];
  const behind = gatesBehind(components, name, new Set());
  if (behind.has(name))
    found.push(
      error([i, 'gate'], `The gate of "${name}" depends on itself.`, 'Choose a component that does not depend on it.'),
    );
  const judged = components.some((other) => other.traits.judgesAnswer && behind.has(componentName(other)));
  if (traits.needsGate && !behind.has('correctness') && !judged)
    found.push(
      warning(
        [i, 'gate'],
        `"${name}" also rewards wrong answers: the shortest text wins, right or wrong.`,
        'Gate it by correctness.',
        { title: 'Gate it by correctness', path: [i, 'gate'], value: withCorrectness(gate) },
      ),
    );
  return found;
}

const addition = (use: string, before: number): Change => ({
  title: `Add the component "${use}"`,
  path: [before],
  value: { use },
  insert: true,
});

function freshName(name: string, taken: readonly string[]): string {
  for (let number = 2; ; number++) if (!taken.includes(`${name}${number}`)) return `${name}${number}`;
}

function withCorrectness(gate: string | string[]): string | string[] {
  const others = typeof gate === 'string' ? [gate] : gate;
  return others.length === 0 ? 'correctness' : ['correctness', ...others];
}

const highest = ({ traits, options }: Judged): number => traits.highest?.(options as never) ?? Number.POSITIVE_INFINITY;

/** The components that must be above 0, directly or through other gates, for this one to count. */
function gatesBehind(components: ComponentList, name: string, seen: Set<string>): Set<string> {
  for (const component of components.filter((other) => componentName(other) === name))
    for (const gate of gatesOf(component)) if (!seen.has(gate)) gatesBehind(components, gate, seen.add(gate));
  return seen;
}
