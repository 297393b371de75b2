import * as vscode from './vscode';

/** What when-clauses of the manifest ask for. */
export interface Contexts {
  /** The workspace has been searched for experiments. */
  'distillery.ready': boolean;
  'distillery.hasExperiments': boolean;
  'distillery.hasRuns': boolean;
  'distillery.hasFailures': boolean;
  /** Of the host that is busiest: see ClientState. */
  'distillery.hostState': string;
  'distillery.failuresFiltered': boolean;
  /** The Problems panel lists them. */
  'distillery.casesInProblems': boolean;
  'distillery.failuresGrouping': string;
}

const told = new Map<string, unknown>();

/** Tells only what differs: each call is a message to the window. */
export function setContext<K extends keyof Contexts>(key: K, value: Contexts[K]): void {
  if (told.get(key) === value) return;
  told.set(key, value);
  vscode.commands.executeCommand('setContext', key, value);
}
