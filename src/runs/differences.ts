/** A setting and its value in each config, as JSON; null where it is absent. */
export interface SettingDifference {
  path: string;
  values: (string | null)[];
}

/**
 * The settings that differ between these configs (contents of config.json), by path. Settings that matter most come
 * first, then the order of the first config. Settings within a part that only some configs have, such as a stage, are
 * listed only if those configs disagree.
 */
export function differingSettings(configs: readonly unknown[]): SettingDifference[] {
  const flat = configs.map((config) => flatten(config));
  const paths = inOrder(flat).filter((path) => new Set(flat.map((settings) => settings.get(path))).size > 1);
  const listed = new Set<string>();
  const differences = paths.flatMap((path): SettingDifference[] => {
    const own = { path, values: flat.map((settings) => settings.get(path) ?? null) };
    const part = missingPart(path, flat);
    if (part === undefined) return [own];
    const those = flat.filter((settings) => hasPart(settings, part));
    const differ = new Set(those.map((settings) => settings.get(path))).size > 1;
    const whole = { path: part, values: flat.map((settings) => partIn(settings, part)) };
    const first = !listed.has(part);
    listed.add(part);
    return [...(first ? [whole] : []), ...(differ ? [own] : [])];
  });
  const ranked = differences.map((difference, i) => ({ difference, i, rank: rankOf(difference.path) }));
  return ranked.sort((a, b) => a.rank - b.rank || a.i - b.i).map(({ difference }) => difference);
}

/** Leading settings by importance. All others follow, the machine last. */
const importantSettings = [
  /^student\b/,
  /^data\b/,
  /^(stages|baselines)(\.\w+)?$/,
  /\b(updates|learningRate)$/,
  /\breward\b/,
  /\b(loss|beta|group|prompts|maxNewTokens|temperature)$/,
  /^seed$/,
];

function rankOf(path: string): number {
  const found = importantSettings.findIndex((pattern) => pattern.test(path));
  if (found >= 0) return found;
  return importantSettings.length + Number(/^environment\b/.test(path));
}

/** The outermost part around a path that some configs have and others lack; undefined if there is none. */
function missingPart(path: string, flat: readonly FlatSettings[]): string | undefined {
  const names = path.split('.');
  return names
    .map((_, i) => names.slice(0, i + 1).join('.'))
    .find((part) => new Set(flat.map((settings) => hasPart(settings, part))).size > 1);
}

const hasPart = (settings: FlatSettings, part: string) =>
  [...settings.keys()].some((path) => path.startsWith(`${part}.`));
const partIn = (settings: FlatSettings, part: string) => settings.get(part) ?? (hasPart(settings, part) ? 'set' : null);

type FlatSettings = ReadonlyMap<string, string>;

/** All paths in a common order: each config's own order, with paths of later configs after their neighbours there. */
function inOrder(flat: readonly FlatSettings[]): string[] {
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
  return order;
}

function flatten(value: unknown, path = '', out = new Map<string, string>()): Map<string, string> {
  if (Array.isArray(value) && value.some((item) => typeof item === 'object' && item !== null)) {
    const names = value.map(nameOf);
    const unique = new Set(names).size === names.length;
    for (const [i, item] of value.entries())
      flatten(item, `${path}[${unique && names[i] !== undefined ? names[i] : i}]`, out);
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
    for (const [key, item] of Object.entries(value)) {
      // Every setting is below the experiment, so its name is omitted from the paths.
      const head = key === 'experiment' ? '' : key;
      flatten(item, path ? `${path}.${key}` : head, out);
    }
  } else out.set(path, JSON.stringify(value) ?? 'undefined');
  return out;
}

/** Reward components are identified by name, not by position. */
function nameOf(item: unknown): string | undefined {
  const { name, use } = (item ?? {}) as { name?: unknown; use?: unknown };
  return [name, use].find((one) => typeof one === 'string');
}
