/** What the commands are given: run folders, a tree's node (which carries its run), or nothing. */
export type Argument = string | { run?: unknown } | readonly (string | { run?: unknown })[] | undefined;

/** Run folders named by a command's arguments: VS Code passes the node that was clicked, then all that are selected. */
export function runsOf(first: Argument, selected: Argument): string[] {
  const all = [first, selected].flatMap((argument) => (Array.isArray(argument) ? argument : [argument]));
  const runs = all.map((item) => (typeof item === 'string' ? item : (item as { run?: unknown } | undefined)?.run));
  return [...new Set(runs.filter((run): run is string => typeof run === 'string' && run !== ''))];
}
