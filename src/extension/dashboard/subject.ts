/** Reads the arguments of commands: run folders, a tree node (which has its run), or nothing. */
export type CommandArgument = string | { run?: unknown } | readonly (string | { run?: unknown })[] | undefined;

/** Run folders from a command's arguments. VS Code passes the clicked node, then all selected ones. */
export function runsOf(first: CommandArgument, selected: CommandArgument): string[] {
  const all = [first, selected].flatMap((argument) => (Array.isArray(argument) ? argument : [argument]));
  const runs = all.map((item) => (typeof item === 'string' ? item : (item as { run?: unknown } | undefined)?.run));
  return [...new Set(runs.filter((run): run is string => typeof run === 'string' && run !== ''))];
}
