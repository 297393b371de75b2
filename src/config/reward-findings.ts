/** What the schema of a reward cannot say: components that do not fit together. */
import { componentSchemas } from './components';
import type { Change, Finding, Path } from './issue';
import { gatesOf, nameOf, type RewardConfig } from './reward';
import { suggest } from './suggest';

/**
 * Components whose value rises as the text gets shorter, right or wrong: without a gate the shortest wrong text wins.
 */
const needsGate = new Set(['brevity']);
/** Components that themselves pay for the right answer. */
const judgesAnswer = new Set(['correctness', 'cosine', 'kimi', 'l1', 'lead', 'bridgeStage2', 'bridgeStage3']);

/** Of these, those that also ask for steps, if only for their labels: as BRIDGE's release does. */
const published = new Set(['bridgeStage2', 'bridgeStage3']);

/** `base` is where the reward stands in a larger value. */
export function rewardFindings({ components }: RewardConfig, base: Path = []): Finding[] {
  const found: Finding[] = [];
  const at = (path: Path) => [...base, 'components', ...path];
  const add = (
    severity: Finding['severity'],
    path: Path,
    message: string,
    remedy: string,
    mend: Pick<Finding, 'replacement' | 'changes'> = {},
  ) => found.push({ severity, path: at(path), message, remedy, ...mend });
  const set = (title: string, path: Path, value: unknown): Change => ({ title, path: at(path), value });
  const names = components.map(nameOf);

  if (components.every(({ weight }) => weight === 0))
    add(
      'error',
      [],
      'All weights are 0: every completion would get the same reward.',
      'Give a component another weight.',
      { changes: names.map((name, i) => set(`Give "${name}" the weight 1`, [i, 'weight'], 1)) },
    );
  if (!components.some(({ use }) => judgesAnswer.has(use)))
    add('warning', [], 'Nothing here rewards a right answer.', 'Add { "use": "correctness" }.', {
      changes: [{ ...set('Add the component "correctness"', [0], { use: 'correctness' }), insert: true }],
    });

  const judges = components.some(({ use }) => judgesAnswer.has(use) && !published.has(use));
  if (judges && !components.some(({ use }) => use === 'grounded'))
    add(
      'warning',
      [],
      'Nothing here asks for steps that arrive at the answer: a bare or copied answer earns as much as reasoning.',
      'Add { "use": "grounded" }.',
      { changes: [{ ...set('Add the component "grounded"', [1], { use: 'grounded' }), insert: true }] },
    );

  components.forEach((component, i) => {
    const name = names[i];
    if (names.indexOf(name) < i)
      add(
        'error',
        [i, component.name ? 'name' : 'use'],
        `Two components are named "${name}".`,
        'Give one of them another "name".',
        { changes: [set(`Name it "${freshName(name, names)}"`, [i, 'name'], freshName(name, names))] },
      );
    gatesOf(component).forEach((gate, j) => {
      const path = [i, 'gate', ...(typeof component.gate === 'string' ? [] : [j])];
      // The default gate works without a component of that name: the answer is then judged for it alone.
      const behind = components[names.indexOf(gate)];
      if (behind && behind.use !== 'grounded' && highest(behind) <= 0)
        add(
          'error',
          path,
          `The gate of "${name}" never opens: "${gate}" is never above 0.`,
          `Give "${gate}" an option that is above 0, or gate by another component.`,
        );
      if (behind || gate === 'correctness') return;
      const meant = suggest(gate, names);
      const remedy = meant ? `Did you mean "${meant}"?` : `Components here: ${names.join(', ')}.`;
      add('error', path, `The gate of "${name}" names an unknown component "${gate}".`, remedy, {
        replacement: meant ? JSON.stringify(meant) : undefined,
        changes: additions(gate),
      });
    });
    if (reaches(components, name, name))
      add(
        'error',
        [i, 'gate'],
        `The gate of "${name}" leads back to itself.`,
        'Gate it by a component that does not depend on it.',
      );
    if (needsGate.has(component.use) && !gatedByAnswer(components, name))
      add(
        'warning',
        [i, 'gate'],
        `"${name}" also pays for wrong answers: the shortest text wins, right or not.`,
        'Gate it by correctness.',
        { changes: [set('Gate it by correctness', [i, 'gate'], withCorrectness(component.gate))] },
      );
  });
  return found;

  /** The component that a gate asks for, where there is one of that name. */
  function additions(gate: string): Change[] {
    const known = componentSchemas().some(({ shape }) => shape.use.options.some((use) => use === gate));
    return known ? [{ ...set(`Add the component "${gate}"`, [0], { use: gate }), insert: true }] : [];
  }
}

function freshName(name: string, taken: string[]): string {
  for (let number = 2; ; number++) if (!taken.includes(`${name}${number}`)) return `${name}${number}`;
}

function withCorrectness(gate: string | string[]): string | string[] {
  const others = typeof gate === 'string' ? [gate] : gate;
  return others.length === 0 ? 'correctness' : ['correctness', ...others];
}

type Components = RewardConfig['components'];

/** The highest value that a component can take, as far as its options say. */
function highest(component: Components[number]): number {
  switch (component.use) {
    case 'correctness':
      return Math.max(component.options.right, component.options.wrong);
    case 'format':
      return Math.max(component.options.valid, component.options.malformed);
    case 'repetition':
    case 'softOverlong':
      return 0;
    default:
      return Number.POSITIVE_INFINITY;
  }
}

function gatesBehind(components: Components, name: string, seen: Set<string>): Set<string> {
  for (const component of components.filter((other) => nameOf(other) === name))
    for (const gate of gatesOf(component)) if (!seen.has(gate)) gatesBehind(components, gate, seen.add(gate));
  return seen;
}

const reaches = (components: Components, from: string, to: string) => gatesBehind(components, from, new Set()).has(to);

function gatedByAnswer(components: Components, name: string): boolean {
  const behind = gatesBehind(components, name, new Set());
  return (
    behind.has('correctness') || components.some((other) => judgesAnswer.has(other.use) && behind.has(nameOf(other)))
  );
}
