import { inertLine } from '../../foreign-text';
import * as vscode from '../vscode';

/** After the last keystroke, in milliseconds. */
const delay = 250;

/**
 * Read-only documents of one scheme, each derived from a workspace file and updated as that file is edited, saved or
 * not. `V` is the state kept for an open document.
 */
export class LiveDocuments<V> implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly views = new Map<string, V>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly parts: vscode.Disposable[];

  /** `ending` is the file extension that tells VS Code the language. */
  constructor(
    private readonly kind: {
      scheme: string;
      ending: string;
      create: (source: vscode.Uri) => V;
      write: (view: V) => string | Promise<string>;
    },
  ) {
    this.parts = [
      vscode.workspace.registerTextDocumentContentProvider(kind.scheme, this),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.edited(document.uri)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        if (uri.scheme === kind.scheme) this.views.delete(uri.toString());
      }),
    ];
  }

  dispose(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    for (const part of this.parts) part.dispose();
    this.changed.dispose();
  }

  /** Shows the document of a file: where it is open already, else beside the active editor. */
  async open(source: vscode.Uri, change: (view: V) => void = () => {}): Promise<vscode.TextDocument> {
    const uri = this.uriOf(source);
    this.update(uri, change);
    const document = await vscode.workspace.openTextDocument(uri);
    const shown = vscode.window.visibleTextEditors.find((editor) => editor.document === document);
    const viewColumn = shown?.viewColumn ?? vscode.ViewColumn.Beside;
    await vscode.window.showTextDocument(document, { viewColumn, preserveFocus: true, preview: false });
    return document;
  }

  /** Changes the state of a document and updates its text. */
  update(uri: vscode.Uri, change: (view: V) => void): void {
    change(this.view(uri));
    this.changed.fire(uri);
  }

  /** The state of an open document. */
  at(uri: vscode.Uri): V | undefined {
    return this.views.get(uri.toString());
  }

  provideTextDocumentContent(uri: vscode.Uri): string | Promise<string> {
    return this.kind.write(this.view(uri));
  }

  /** The active document, if it is one of these. For commands that are called without an address. */
  front(): vscode.Uri | undefined {
    const uri = vscode.window.activeTextEditor?.document.uri;
    return uri?.scheme === this.kind.scheme ? uri : undefined;
  }

  /** The document's address: the name of the file, with the full path in the query. */
  private uriOf(source: vscode.Uri): vscode.Uri {
    const name = inertLine(source.path.slice(source.path.lastIndexOf('/') + 1));
    const { scheme, ending } = this.kind;
    return vscode.Uri.from({ scheme, path: `/${name}${ending}`, query: source.toString() });
  }

  private view(uri: vscode.Uri): V {
    const known = this.views.get(uri.toString());
    if (known) return known;
    const view = this.kind.create(sourceUri(uri));
    this.views.set(uri.toString(), view);
    return view;
  }

  private edited(source: vscode.Uri): void {
    const uri = this.uriOf(source);
    const key = uri.toString();
    if (!this.views.has(key)) return;
    clearTimeout(this.timers.get(key));
    this.timers.set(
      key,
      setTimeout(() => {
        this.timers.delete(key);
        this.changed.fire(uri);
      }, delay),
    );
  }
}

/** The file that a document is derived from. */
export const sourceUri = (document: vscode.Uri) => vscode.Uri.parse(document.query);
