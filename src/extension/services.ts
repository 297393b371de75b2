import type * as vscode from 'vscode';
import type { RunIndex } from './run-index';

/** What the features of the extension share; each is handed it by `activate`, and gives back what is to be disposed of. */
export interface Services {
  context: vscode.ExtensionContext;
  /** The runs of the workspace, watched. */
  runs: RunIndex;
  log: vscode.LogOutputChannel;
}
