import * as vscode from 'vscode';
import { listRuns, type RunListing } from '../runs/reading';

/** The runs of the workspace's folders, read again when their files change. */
export class RunIndex implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  /** The list, or a run in it, is no longer what it was. At most a few times a second. */
  readonly onDidChange = this.changed.event;

  /** `.distillery/runs` folders that are looked into. */
  folders(): string[] {
    return (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => `${uri.fsPath}/.distillery/runs`);
  }

  /** Newest first; a run that cannot be read says why. */
  list(): RunListing[] {
    return this.folders().flatMap((folder) => listRuns(folder));
  }

  refresh(): void {
    this.changed.fire();
  }

  dispose(): void {
    this.changed.dispose();
  }
}
