import { type CaseRewrite, rewriteStatus } from '../../cases/rewrites';
import * as vscode from '../vscode';
import type { CaseDocuments } from './case-documents';
import { referenceAt } from './reference';
import { canBe } from './rewrite-actions';
import { rewriteAtOffset, rewriteName } from './text';

const questions = {
  accepted: ['Accept which rewrite?', 'This case has no rewrite that could be accepted.'],
  edited: ['Edit which rewrite?', 'This case has no rewrite yet.'],
  rejected: ['Reject which rewrite?', 'This case has no rewrite that could be rejected.'],
};

/** The rewrite at the cursor, if the active editor shows the current version of this case. */
export function rewriteAtCursor(documents: CaseDocuments, run: string, problemId: string): CaseRewrite | undefined {
  const editor = vscode.window.activeTextEditor;
  const place = editor && referenceAt(editor.document.uri);
  if (place?.kind !== 'case' || place.reference.run !== run || place.reference.problemId !== problemId)
    return undefined;
  const layout = documents.at(editor!.document.uri)?.value?.layout;
  if (!layout || editor!.document.getText() !== layout.text) return undefined;
  return rewriteAtOffset(layout, editor!.document.offsetAt(editor!.selection.active));
}

/** Asks the person to pick a rewrite. */
export async function chooseRewrite(
  rewrites: readonly CaseRewrite[],
  what: keyof typeof canBe,
): Promise<CaseRewrite | undefined> {
  const [question, none] = questions[what];
  const items = rewrites.filter(canBe[what]).map((rewrite) => ({
    label: rewriteName(rewrites, rewrite),
    description: rewriteStatus(rewrite),
    detail: rewrite.text.replace(/\s+/g, ' '),
    rewrite,
  }));
  if (items.length === 0) {
    void vscode.window.showInformationMessage(none);
    return undefined;
  }
  const picked = await vscode.window.showQuickPick(items, { placeHolder: question, matchOnDetail: true });
  return picked?.rewrite;
}
