import type { StageName } from '../../stages';
/** What a command was called with: a node of a tree, a file's URI, plain arguments of another feature, or nothing. */

export interface Named {
  run?: string;
  runs?: string;
  stage?: StageName;
  /** Folders and files, absolute. */
  checkpoint?: string;
  experiment?: string;
  evaluation?: string;
  /** Names an experiment together with `runs`. */
  name?: string;
  quick?: boolean;
}

const keys = ['run', 'runs', 'stage', 'checkpoint', 'experiment', 'evaluation', 'name'] as const;

/** A string is taken as `main`, a URI as an experiment's file; of any other object the fields with known names. */
export function named(argument: unknown, main: 'run' | 'checkpoint' | 'experiment' = 'run'): Named {
  if (typeof argument === 'string') return { [main]: argument };
  if (typeof argument !== 'object' || argument === null) return {};
  const { fsPath, quick } = argument as { fsPath?: unknown; quick?: unknown };
  if (typeof fsPath === 'string') return { experiment: fsPath };
  const fields = argument as Record<string, unknown>;
  const found: Named = typeof quick === 'boolean' ? { quick } : {};
  return Object.assign(found, ...keys.map((key) => (typeof fields[key] === 'string' ? { [key]: fields[key] } : {})));
}

/**
 * The nodes a command is for: those selected in the tree where the one it was called on is among them, else that one.
 */
export function chosen<T>(node: T, selected: unknown): T[] {
  return Array.isArray(selected) && selected.includes(node) ? selected : [node];
}
