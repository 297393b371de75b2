import type { Span } from '../../chain/types';
import { command } from '../commands/report';
import type { Services } from '../services';
import * as vscode from '../vscode';
import type { CaseDocuments } from './case-documents';
import { paintCases } from './paint-cases';
import { readableCase } from './readable';

const key = 'cases.asWritten';

/**
 * Renders formulas and Markdown in case documents. The text does not change: markup is hidden and symbols stand in for
 * commands. `distillery.toggleRendering` shows the source.
 */
export function registerRendering(services: Services, documents: CaseDocuments): vscode.Disposable {
  const { workspaceState } = services.context;
  // VS Code has no setting that hides text, but it copies the value of `textDecoration` into the style sheet, so CSS
  // can follow `none`.
  const replaced = vscode.window.createTextEditorDecorationType({ textDecoration: 'none; display: none' });
  const bold = vscode.window.createTextEditorDecorationType({ fontWeight: 'bold' });
  const painting = paintCases(documents, (editor, open) => {
    const { document } = editor;
    const isRendered = open && !workspaceState.get(key, false);
    const found = isRendered ? readableCase(open.layout) : { replacements: [], bold: [] };
    const range = ({ start, end }: Span) => new vscode.Range(document.positionAt(start), document.positionAt(end));
    const replacements = found.replacements.map((one) => ({ range: range(one), before: one.shown }));
    vscode.window.decorate(editor, replaced, replacements);
    vscode.window.decorate(
      editor,
      bold,
      found.bold.map((one) => ({ range: range(one) })),
    );
  });
  return vscode.Disposable.from(
    replaced,
    bold,
    painting,
    command(services, 'distillery.toggleRendering', async () => {
      const asWritten = !workspaceState.get(key, false);
      await workspaceState.update(key, asWritten);
      painting.again();
      const text = asWritten ? 'Formulas and Markdown are shown as written.' : 'Formulas and Markdown are rendered.';
      vscode.window.setStatusBarMessage(text, 5000);
    }),
  );
}
