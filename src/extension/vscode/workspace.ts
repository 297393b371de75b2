/** The editor's workspace and commands, with errors that are safe to show, and its diff with a safe title. */
import * as editor from 'vscode';
import { inertLine } from '../../foreign-text';
import { safely, withSafeErrors } from './faults';

const { workspace: real } = editor;

// Properties are read on access, as folders, trust and documents change.
export const workspace: typeof editor.workspace = Object.create(real, {
  registerFileSystemProvider: {
    value: ((scheme, provider, options) =>
      real.registerFileSystemProvider(
        scheme,
        withSafeErrors(provider),
        options,
      )) satisfies typeof real.registerFileSystemProvider,
  },
  registerTextDocumentContentProvider: {
    value: ((scheme, provider) =>
      real.registerTextDocumentContentProvider(
        scheme,
        withSafeErrors(provider),
      )) satisfies typeof real.registerTextDocumentContentProvider,
  },
});

export const commands = {
  registerCommand: <A extends unknown[]>(id: string, run: (...args: A) => unknown): editor.Disposable =>
    editor.commands.registerCommand(id, safely(run)),
  executeCommand: editor.commands.executeCommand,
  /** Two documents in the editor's diff, beside the active editor. */
  diff: (left: editor.Uri, right: editor.Uri, title: string): Thenable<unknown> =>
    editor.commands.executeCommand('vscode.diff', left, right, inertLine(title), {
      viewColumn: editor.ViewColumn.Beside,
    }),
};
