/** Finds what can be named at a place of a config, beyond its schema. Pure; used by completions and links. */
import { findNodeAtLocation, getLocation, type Node, parseTree } from 'jsonc-parser';
import type { Path } from '../../config/issue';
import { modulePath } from '../../config/module-path';
import { isPreset } from '../../config/presets';
import { componentName } from '../../config/reward';
import type { ConfigKind } from './kinds';

type NameKind = 'gate' | 'module' | 'reward' | 'student' | 'dataset';

export interface NamePlace {
  kind: NameKind;
  /** The range that a completion replaces: a quoted text with its quotes, or nothing at the cursor. In UTF-16 units. */
  start: number;
  end: number;
  /** Components that a gate may name. */
  components: string[];
}

/** What is named at `offset`; null where it is none of these. */
export function namePlace(kind: ConfigKind, text: string, offset: number): NamePlace | null {
  const { path, isAtPropertyKey, previousNode: node } = getLocation(text, offset);
  if (isAtPropertyKey) return null;
  const named = kindAt(kind, path);
  if (!named) return null;
  const inside = node && node.offset < offset && offset <= node.offset + node.length;
  if (inside && node.type !== 'string') return null;
  const place = inside ? { start: node.offset, end: node.offset + node.length } : { start: offset, end: offset };
  return { kind: named, ...place, components: named === 'gate' ? otherComponents(text, path) : [] };
}

/** The keys whose values are paths, in a data source, a student or a stage; those below `quick` are the same. */
function kindAt(kind: ConfigKind, path: Path): NameKind | null {
  const at = path[0] === 'quick' ? path.slice(1) : path;
  const shape = at.map((part) => (typeof part === 'number' ? '*' : part)).join('/');
  if (/(^|\/reward\/)components\/\*\/gate(\/\*)?$/.test(shape)) return 'gate';
  if (/(^|\/reward\/)components\/\*\/use$/.test(shape)) return 'module';
  if (kind === 'reward') return null;
  if (/^stages\/(complete|rewrite)\/reward$/.test(shape)) return 'reward';
  if (/^data\/(train|test)\/path$/.test(shape)) return 'dataset';
  return shape === 'student/path' ? 'student' : null;
}

/** The components beside the one with this gate that the gate does not list yet. */
function otherComponents(text: string, path: Path): string[] {
  const root = parseTree(text, [], { allowTrailingComma: true });
  if (!root) return [];
  const gate = path.indexOf('gate');
  const own = Number(path[gate - 1]);
  const all = findNodeAtLocation(root, path.slice(0, gate - 1) as (string | number)[])?.children ?? [];
  const listed = findNodeAtLocation(root, path.slice(0, gate + 1) as (string | number)[])?.children ?? [];
  const taken = new Set(listed.filter((_, i) => i !== path[gate + 1]).map(({ value }) => value));
  const names = all.flatMap((node, i) => {
    const [use, name] = ['use', 'name'].map((key) => findNodeAtLocation(node, [key])?.value as unknown);
    return i !== own && typeof use === 'string'
      ? [componentName({ use, name: typeof name === 'string' ? name : undefined })]
      : [];
  });
  return [...new Set(names)].filter((name) => !taken.has(name));
}

export interface NamedPath {
  kind: Exclude<NameKind, 'gate'>;
  value: string;
  /** The text inside the quotes. */
  start: number;
  end: number;
}

/** The paths named by a config, in text order. */
export function namedPaths(config: ConfigKind, text: string): NamedPath[] {
  const root = parseTree(text, [], { allowTrailingComma: true });
  const found: NamedPath[] = [];
  const visit = (node: Node, path: Path) => {
    if (node.type === 'property') {
      const [key, value] = node.children ?? [];
      if (value) visit(value, [...path, key.value as string]);
    } else if (node.type === 'string') {
      const kind = kindAt(config, path);
      if (kind && kind !== 'gate' && isPath(kind, node.value))
        found.push({ kind, value: node.value, start: node.offset + 1, end: node.offset + node.length - 1 });
    } else
      for (const [i, child] of (node.children ?? []).entries())
        visit(child, node.type === 'array' ? [...path, i] : path);
  };
  if (root) visit(root, []);
  return found;
}

/** Whether the text is a path, and not the name of a preset or of one of our components. */
const isPath = (kind: NamedPath['kind'], value: string): boolean =>
  kind === 'module' ? modulePath.test(value) : kind !== 'reward' || !isPreset(value);

/** Offset of a setting's key, for lenses above it; undefined where the text does not have it. */
export function keyOffset(text: string, path: Path): number | undefined {
  const root = parseTree(text, [], { allowTrailingComma: true });
  const node = root && findNodeAtLocation(root, [...path]);
  return node?.parent?.type === 'property' ? node.parent.offset : undefined;
}
