import { type Painting, paintEditors } from '../shared/painting';
import type * as vscode from '../vscode';
import type { CaseDocuments, OpenCase } from './case-documents';
import { caseScheme, referenceAt } from './reference';

/** Decorates the editors of cases. `open` is undefined while the text does not match the case. */
export function paintCases(
  documents: CaseDocuments,
  paint: (editor: vscode.TextEditor, open: OpenCase | undefined) => void,
): Painting {
  return paintEditors((editor) => {
    const { document } = editor;
    if (document.uri.scheme !== caseScheme || referenceAt(document.uri)?.kind !== 'case') return;
    const open = documents.at(document.uri)?.value;
    paint(editor, open && document.getText() === open.layout.text ? open : undefined);
  });
}
