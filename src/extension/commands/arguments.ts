import type { StageName } from '../../stages';
/** A command's argument: a tree node, a file's URI, plain fields from another feature, or nothing. */

export interface Named {
  run?: string;
  runs?: string;
  stage?: StageName;
  /** Folders and files, absolute. */
  checkpoint?: string;
  experiment?: string;
  evaluation?: string;
  /** Identifies an experiment together with `runs`. */
  name?: string;
  quick?: boolean;
}

const keys = ['run', 'runs', 'stage', 'checkpoint', 'experiment', 'evaluation', 'name'] as const;

/** A string is taken as `main`, a URI as an experiment's file; of any other object, the known fields are used. */
export function named(argument: unknown, main: 'run' | 'checkpoint' | 'experiment' = 'run'): Named {
  if (typeof argument === 'string') return { [main]: argument };
  if (typeof argument !== 'object' || argument === null) return {};
  const { fsPath, quick } = argument as { fsPath?: unknown; quick?: unknown };
  if (typeof fsPath === 'string') return { experiment: fsPath };
  const fields = argument as Record<string, unknown>;
  const found: Named = typeof quick === 'boolean' ? { quick } : {};
  return Object.assign(found, ...keys.map((key) => (typeof fields[key] === 'string' ? { [key]: fields[key] } : {})));
}

/** The nodes of a command: the tree's selection if it contains the clicked node, else that node. */
export function chosen<T>(node: T, selected: unknown): T[] {
  return Array.isArray(selected) && selected.includes(node) ? selected : [node];
}
