import * as vscode from './vscode';

/** What keeps editors painted; `again` paints all that are visible. */
export interface Painting extends vscode.Disposable {
  again(): void;
}

/** Paints editors: the visible ones at once, then each that comes into sight, and each whose text changes. */
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
