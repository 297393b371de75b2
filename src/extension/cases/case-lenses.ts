import type { Services } from '../services';
import * as vscode from '../vscode';
import type { CaseDocuments } from './case-documents';
import { caseScheme, referenceAt } from './reference';
import { canBe } from './rewrite-actions';

const { t } = vscode.l10n;

/** What can be done with a case, above its parts. */
export function registerLenses({ runs, cases }: Services, documents: CaseDocuments): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const provider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses(document) {
      const open = documents.at(document.uri)?.value;
      const place = referenceAt(document.uri);
      if (!open || !place) return [];
      const { reference } = place;
      const lens = (line: number, [icon, title]: [string, string], command: string, ...args: unknown[]) =>
        new vscode.CodeLens(line, { icon, title, command, args });
      if (place.kind === 'rewrite')
        return [
          lens(0, ['check', t('Save to accept this rewrite')], 'workbench.action.files.save'),
          lens(0, ['discard', t('Back to the case')], 'distillery.openCase', reference),
        ];
      const { case: shown, layout } = open;
      if (document.getText() !== layout.text) return [];
      const lineOf = (offset: number) => document.positionAt(offset).line;
      const order = cases.order(reference.run) ?? [];
      const number = order.indexOf(reference.problemId) + 1;
      const lenses: vscode.CodeLens[] = [];
      if (order.length > 1)
        lenses.push(
          lens(0, ['arrow-up', t('Previous ([)')], 'distillery.previousCase', reference),
          lens(0, ['arrow-down', t('Next (])')], 'distillery.nextCase', reference),
          lens(0, ['list-ordered', t('{0} of {1}', number || '–', order.length)], 'distillery.failures.focus'),
        );
      lenses.push(
        shown.read
          ? lens(0, ['circle-outline', t('Mark as Unread')], 'distillery.markUnread', reference)
          : lens(0, ['check', t('Mark as Read (r)')], 'distillery.markRead', reference),
        lens(
          0,
          ['note', shown.note === undefined ? t('Add Note (n)') : t('Edit Note (n)')],
          'distillery.noteCase',
          reference,
        ),
      );
      if (layout.student) {
        const line = lineOf(layout.student.heading);
        const { place: at } = shown.shown!;
        const target = { ...reference, ...at };
        lenses.push(lens(line, ['list-selection', t('Show Another Answer')], 'distillery.chooseAnswer', reference));
        if (layout.teacher)
          lenses.push(lens(line, ['diff', t('Compare with Teacher')], 'distillery.compareChains', target));
        if (shown.fault?.by === 'person')
          lenses.push(
            lens(line, ['discard', t('Take Back the Mark')], 'distillery.markFirstWrongStep', reference, null),
          );
        else if (!shown.shown!.rollout)
          lenses.push(lens(line, ['error', t('Mark First Wrong Step (W)')], 'distillery.markFirstWrongStep'));
      }
      if (layout.teacher) {
        const line = lineOf(layout.teacher.heading);
        lenses.push(
          lens(line, ['sparkle', t('Rewrite with Student')], 'distillery.rewriteCase', reference),
          lens(line, ['edit', t('Write a Rewrite')], 'distillery.editRewrite', reference),
          shown.picked
            ? lens(line, ['remove', t('Remove from Stage 3')], 'distillery.removeFromStage3', reference)
            : lens(line, ['add', t('Add to Stage 3')], 'distillery.addToStage3', reference),
        );
      }
      for (const { section, rewrite } of layout.rewrites) {
        const line = lineOf(section.heading);
        const { text } = rewrite;
        if (canBe.accepted(rewrite))
          lenses.push(lens(line, ['check', t('Accept')], 'distillery.acceptRewrite', reference, text));
        lenses.push(lens(line, ['edit', t('Edit')], 'distillery.editRewrite', reference, text));
        if (canBe.rejected(rewrite))
          lenses.push(lens(line, ['x', t('Reject')], 'distillery.rejectRewrite', reference, text));
      }
      return lenses;
    },
  };
  return vscode.Disposable.from(
    changed,
    runs.onDidChange(() => changed.fire()),
    cases.onDidChange(() => changed.fire()),
    vscode.languages.registerCodeLensProvider({ scheme: caseScheme }, provider),
  );
}
