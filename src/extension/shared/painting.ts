import * as vscode from '../vscode';

/** Keeps editors decorated; `again` decorates all visible ones. */
export interface Painting extends vscode.Disposable {
  again(): void;
}

/** Decorates editors: visible ones at once, and later each that becomes visible or whose text changes. */
export function paintEditors(paint: (editor: vscode.TextEditor) => void): Painting {
  const again = () => vscode.window.visibleTextEditors.forEach(paint);
  again();
  const subscriptions = vscode.Disposable.from(
    vscode.window.onDidChangeVisibleTextEditors((editors) => editors.forEach(paint)),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      for (const editor of vscode.window.visibleTextEditors) if (editor.document === document) paint(editor);
    }),
  );
  return { again, dispose: () => subscriptions.dispose() };
}
