import type { Issue } from '../../config/issue';
import * as vscode from '../vscode';
import { beyondSchema, configIssues } from './issues';
import { configKind } from './kinds';
import { currentText, rangeAt } from './texts';

/** After the last keystroke, in milliseconds. */
const delay = 300;

/** Checks every open config again when it is edited, and when files that it may name appear or disappear. */
export class ConfigDiagnostics implements vscode.Disposable {
  private readonly collection = vscode.languages.createDiagnosticCollection('distillery');
  private readonly parts: vscode.Disposable[];
  private timer: NodeJS.Timeout | undefined;

  constructor() {
    const files = vscode.workspace.createFileSystemWatcher('**/*.{json,jsonl,mjs,cjs,js}', false, true, false);
    const later = () => this.later();
    this.parts = [
      this.collection,
      files,
      files.onDidCreate(({ fsPath }) => !/[\\/]\.distillery[\\/]/.test(fsPath) && later()),
      files.onDidDelete(later),
      vscode.workspace.onDidOpenTextDocument((document) => this.check(document)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => configKind(document.fileName) && later()),
      vscode.workspace.onDidSaveTextDocument(later),
      vscode.workspace.onDidGrantWorkspaceTrust(later),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.collection.delete(uri)),
    ];
    for (const document of vscode.workspace.textDocuments) this.check(document);
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const part of this.parts) part.dispose();
  }

  /** Checks all open ones, as an experiment's problems may lie in the reward that is being edited. */
  private later(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      for (const document of vscode.workspace.textDocuments) this.check(document);
    }, delay);
  }

  private check(document: vscode.TextDocument): void {
    const kind = document.uri.scheme === 'file' ? configKind(document.fileName) : null;
    if (!kind) return;
    const issues = configIssues(kind, document.getText(), document.fileName, currentText);
    this.collection.set(
      document.uri,
      beyondSchema(issues).map((issue) => toDiagnostic(document, issue)),
    );
  }
}

const severities = { error: vscode.DiagnosticSeverity.Error, warning: vscode.DiagnosticSeverity.Warning };

function toDiagnostic(document: vscode.TextDocument, { offset, length, message, remedy, severity }: Issue) {
  const text = remedy ? `${message} ${remedy}` : message;
  const diagnostic = new vscode.Diagnostic(rangeAt(document, offset, length), text, severities[severity]);
  diagnostic.source = 'Distillery';
  return diagnostic;
}
