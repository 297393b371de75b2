import * as vscode from '../vscode';

/** Context keys for the manifest's when-clauses. */
export interface Contexts {
  /** The workspace has been searched for experiments. */
  'distillery.ready': boolean;
  'distillery.hasExperiments': boolean;
  'distillery.hasRuns': boolean;
  'distillery.hasFailures': boolean;
  /** State of the busiest host, see ClientState. */
  'distillery.hostState': string;
  'distillery.failuresFiltered': boolean;
  /** The Problems panel lists the cases. */
  'distillery.casesInProblems': boolean;
  'distillery.failuresGrouping': string;
}

const lastValues = new Map<string, unknown>();

/** Sets only changed values, as each call sends a message to the window. */
export function setContext<K extends keyof Contexts>(key: K, value: Contexts[K]): void {
  if (lastValues.get(key) === value) return;
  lastValues.set(key, value);
  vscode.commands.executeCommand('setContext', key, value);
}
