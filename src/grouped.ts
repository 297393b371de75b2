/** Lists of the items with equal keys, in the order of their first items. */
export const groupedBy = <T>(items: Iterable<T>, key: (item: T) => string): T[][] => [...groupsBy(items, key).values()];

/** The same by their keys. */
export function groupsBy<T>(items: Iterable<T>, key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
