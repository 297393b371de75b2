import type { Difference } from '../../protocol/dashboard';

/** The settings that are not the same in all of the configs (config.json's content), by their path, in the order of the first. */
export function differingSettings(configs: readonly unknown[]): Difference[] {
  const flat = configs.map((config) => flatten(config));
  const paths = new Set(flat.flatMap((settings) => [...settings.keys()]));
  return inOrder([...paths], flat).flatMap((path) => {
    const values = flat.map((settings) => settings.get(path) ?? null);
    return new Set(values).size > 1 ? [{ path, values }] : [];
  });
}

/** Paths in a common order: each config's own order, with what only later configs have after its neighbour there. */
function inOrder(paths: string[], flat: readonly Map<string, string>[]): string[] {
  const order: string[] = [];
  const placed = new Set<string>();
  for (const settings of flat) {
    let after = -1;
    for (const path of settings.keys()) {
      if (placed.has(path)) {
        after = order.indexOf(path, after < 0 ? 0 : after);
        if (after < 0) after = order.indexOf(path);
      } else {
        order.splice(++after, 0, path);
        placed.add(path);
      }
    }
  }
  return order.filter((path) => paths.includes(path));
}

function flatten(value: unknown, path = '', out = new Map<string, string>()): Map<string, string> {
  if (Array.isArray(value) && value.some((item) => typeof item === 'object' && item !== null)) {
    const names = value.map(nameOf);
    const unique = new Set(names).size === names.length;
    for (const [i, item] of value.entries())
      flatten(item, `${path}[${unique && names[i] !== undefined ? names[i] : i}]`, out);
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
    for (const [key, item] of Object.entries(value)) {
      // The experiment is what there is to set; its name at the head of every path would say nothing.
      const name = path === '' && key === 'experiment' ? '' : path ? `${path}.${key}` : key;
      flatten(item, name, out);
    }
  } else out.set(path, JSON.stringify(value) ?? 'undefined');
  return out;
}

/** Reward components are known by name rather than by place. */
function nameOf(item: unknown): string | undefined {
  const { name, use } = (item ?? {}) as { name?: unknown; use?: unknown };
  return typeof name === 'string' ? name : typeof use === 'string' ? use : undefined;
}
