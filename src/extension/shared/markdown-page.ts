import * as vscode from '../vscode';

/** A read-only page whose Markdown a command writes, shown as a preview. */
export class MarkdownPage implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly provider: vscode.Disposable;
  private text = '';

  constructor(private readonly uri: vscode.Uri) {
    this.provider = vscode.workspace.registerTextDocumentContentProvider(uri.scheme, {
      onDidChange: this.changed.event,
      provideTextDocumentContent: () => this.text,
    });
  }

  dispose(): void {
    this.provider.dispose();
    this.changed.dispose();
  }

  async show(text: string): Promise<void> {
    this.text = text;
    this.changed.fire(this.uri);
    await vscode.commands.executeCommand('markdown.showPreview', this.uri);
  }
}
