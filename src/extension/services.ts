import type { Hosts } from './hosts';
import type { RunIndex } from './run-index';
import type { ShownCases } from './shown-cases';
import type * as vscode from './vscode';

/**
 * What the features of the extension share; each is handed it by `activate`, and gives back what is to be disposed of.
 */
export interface Services {
  context: vscode.ExtensionContext;
  /** The runs of the workspace, watched. */
  runs: RunIndex;
  /** The run whose failure cases are shown. */
  cases: ShownCases;
  /** The training hosts of the workspace: `hosts.of(checkpoint)` is the one to ask. */
  hosts: Hosts;
  log: vscode.LogOutputChannel;
}
