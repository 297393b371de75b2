import type { ShownCases } from './failures/shown-cases';
import type { Hosts } from './hosts/hosts';
import type * as vscode from './vscode';
import type { RunIndex } from './workspace/run-index';

/**
 * Services shared by the features of the extension. `activate` passes them to each feature, which returns its
 * disposables.
 */
export interface Services {
  context: vscode.ExtensionContext;
  /** The runs of the workspace, watched for changes. */
  runs: RunIndex;
  /** The run whose failure cases are shown. */
  cases: ShownCases;
  /** The training hosts of the workspace: `hosts.of(checkpoint)` returns the one to use. */
  hosts: Hosts;
  log: vscode.LogOutputChannel;
}
