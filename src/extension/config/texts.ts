import { readSmallText } from '../../lines';
import * as vscode from '../vscode';

/** The text of a file from the editor, saved or not, else from disk. Undefined when it cannot be read. */
export function currentText(file: string): string | undefined {
  const open = vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === 'file' && uri.fsPath === file);
  if (open) return open.getText();
  try {
    return readSmallText(file);
  } catch {
    return undefined;
  }
}

export function rangeAt(document: vscode.TextDocument, start: number, length: number): vscode.Range {
  return new vscode.Range(document.positionAt(start), document.positionAt(start + length));
}
