/** Filters and sorts an update's completions. */
import type { DashboardCompletion, DashboardGroup } from '../../src/protocol/dashboard';

export const filters = ['all', 'right', 'wrong', 'cut off'] as const;
export type Filter = (typeof filters)[number];

export const passes = ({ correct, finished }: DashboardCompletion, filter: Filter): boolean => {
  if (filter === 'right') return correct === true;
  if (filter === 'wrong') return correct === false;
  return filter === 'all' || !finished;
};

/** Titles of the sort orders; each but the first puts the highest values first. */
export const orders = {
  batch: 'Batch order',
  best: 'Highest reward first',
  worst: 'Lowest reward first',
  raised: 'Highest advantage first',
  lowered: 'Lowest advantage first',
  longest: 'Longest first',
  shortest: 'Shortest first',
} as const;
export type Order = keyof typeof orders;

const amounts: Record<Exclude<Order, 'batch'>, (completion: DashboardCompletion) => number | null> = {
  best: ({ reward }) => reward,
  worst: ({ reward }) => (reward === null ? null : -reward),
  raised: ({ advantage }) => advantage,
  lowered: ({ advantage }) => (advantage === null ? null : -advantage),
  longest: ({ tokens }) => tokens,
  shortest: ({ tokens }) => -tokens,
};

export interface RolloutQuery {
  filter: Filter;
  order: Order;
  /** Text to find in a problem's id, its prompt or a completion, ignoring case. */
  query: string;
}

/** The groups with matching completions, each in order, and the groups by their first; empty groups are omitted. */
export function matchingGroups(
  groups: readonly DashboardGroup[],
  { filter, order, query }: RolloutQuery,
): DashboardGroup[] {
  const text = query.trim().toLowerCase();
  const holds = (own: string) => own.toLowerCase().includes(text);
  const shown = groups.flatMap((group) => {
    const whole = holds(group.problemId) || holds(group.prompt);
    const completions = group.completions.filter((one) => passes(one, filter) && (whole || holds(one.text)));
    return completions.length > 0 ? [{ ...group, completions }] : [];
  });
  if (order === 'batch') return shown;
  const amount = (one: DashboardCompletion) => amounts[order](one) ?? Number.NEGATIVE_INFINITY;
  // Equal ones keep batch order, as sorting is stable. Infinite values differ by NaN.
  const first = (a: DashboardCompletion, b: DashboardCompletion) => amount(b) - amount(a) || 0;
  return shown
    .map((group) => ({ ...group, completions: group.completions.toSorted(first) }))
    .sort((a, b) => first(a.completions[0], b.completions[0]));
}
