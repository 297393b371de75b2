/** What the schema of a reward cannot say: components that do not fit together. */
import type { Finding, Path } from './issue';
import { gatesOf, nameOf, type RewardConfig } from './reward';
import { suggest } from './suggest';

/** Components whose value rises as the text gets shorter, right or wrong: without a gate the shortest wrong text wins. */
const needsGate = new Set(['brevity']);
/** Components that themselves pay for the right answer. */
const judgesAnswer = new Set(['correctness', 'cosine', 'kimi', 'l1', 'lead', 'bridgeStage2', 'bridgeStage3']);

/** `base` is where the reward stands in a larger value. */
export function rewardFindings({ components }: RewardConfig, base: Path = []): Finding[] {
  const found: Finding[] = [];
  const add = (severity: Finding['severity'], path: Path, message: string, remedy: string, replacement?: string) =>
    found.push({ severity, path: [...base, 'components', ...path], message, remedy, replacement });
  const names = components.map(nameOf);

  if (components.every(({ weight }) => weight === 0))
    add(
      'error',
      [],
      'All weights are 0: every completion would get the same reward.',
      'Give a component another weight.',
    );
  if (!components.some(({ use }) => judgesAnswer.has(use)))
    add('warning', [], 'Nothing here rewards a right answer.', 'Add { "use": "correctness" }.');

  components.forEach((component, i) => {
    const name = names[i];
    if (names.indexOf(name) < i)
      add(
        'error',
        [i, component.name ? 'name' : 'use'],
        `Two components are named "${name}".`,
        'Give one of them another "name".',
      );
    gatesOf(component).forEach((gate, j) => {
      const path = [i, 'gate', ...(typeof component.gate === 'string' ? [] : [j])];
      // The default gate works without a component of that name: the answer is then judged for it alone.
      const behind = components[names.indexOf(gate)];
      if (behind && highest(behind) <= 0)
        add(
          'error',
          path,
          `The gate of "${name}" never opens: "${gate}" is never above 0.`,
          `Give "${gate}" an option that is above 0, or gate by another component.`,
        );
      if (behind || gate === 'correctness') return;
      const meant = suggest(gate, names);
      const remedy = meant ? `Did you mean "${meant}"?` : `Components here: ${names.join(', ')}.`;
      add(
        'error',
        path,
        `The gate of "${name}" names an unknown component "${gate}".`,
        remedy,
        meant ? JSON.stringify(meant) : undefined,
      );
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
        '"correctness"',
      );
  });
  return found;
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
