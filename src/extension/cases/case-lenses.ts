import type { Services } from '../services';
import * as vscode from '../vscode';
import type { Case } from './case';
import type { CaseDocuments, OpenCase } from './case-documents';
import { readableCase } from './readable';
import { caseScheme, referenceAt } from './reference';
import { canBe } from './rewrite-actions';

/** Commands for a case, above the part that each applies to. */
export function registerLenses({ runs, cases }: Services, documents: CaseDocuments): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const provider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses(document) {
      const open = documents.at(document.uri)?.value;
      const place = referenceAt(document.uri);
      if (!open || !place) return [];
      const { reference } = place;
      if (place.kind === 'rewrite')
        return [
          lens(0, ['check', 'Save to Accept This Rewrite'], 'workbench.action.files.save'),
          lens(0, ['discard', 'Back to the Case'], 'distillery.openCase', reference),
        ];
      if (document.getText() !== open.layout.text) return [];
      const lineOf = (offset: number) => document.positionAt(offset).line;
      return [
        ...listLenses(open.case, cases.order(reference.run) ?? []),
        ...renderingLenses(open),
        ...studentLenses(open, lineOf),
        ...teacherLenses(open, lineOf),
        ...rewriteLenses(open, lineOf),
      ];
    },
  };
  return vscode.Disposable.from(
    changed,
    runs.onDidChange(() => changed.fire()),
    cases.onDidChange(() => changed.fire()),
    vscode.languages.registerCodeLensProvider({ scheme: caseScheme }, provider),
  );
}

const lens = (line: number, [icon, title]: [string, string], command: string, ...args: unknown[]) =>
  new vscode.CodeLens(line, { icon, title, command, args });

type LineOf = (offset: number) => number;

/** At the top: the case's position in the list, whether it is read, and its note. */
function listLenses({ reference, read, note }: Case, order: readonly string[]): vscode.CodeLens[] {
  const number = order.indexOf(reference.problemId) + 1;
  const places = [
    lens(0, ['arrow-up', 'Previous ([)'], 'distillery.previousCase', reference),
    lens(0, ['arrow-down', 'Next (])'], 'distillery.nextCase', reference),
    lens(0, ['list-ordered', `${number || '–'} of ${order.length}`], 'distillery.failures.focus'),
  ];
  return [
    ...(order.length > 1 ? places : []),
    read
      ? lens(0, ['circle-outline', 'Mark as Unread'], 'distillery.markUnread', reference)
      : lens(0, ['check', 'Mark as Read (R)'], 'distillery.markRead', reference),
    lens(0, ['note', note === undefined ? 'Add Note (N)' : 'Edit Note (N)'], 'distillery.noteCase', reference),
  ];
}

/** Above text with formulas or Markdown that can be rendered. */
function renderingLenses({ layout }: OpenCase): vscode.CodeLens[] {
  const { replacements } = readableCase(layout);
  const title = 'Rendered or as Written (L)';
  return replacements.length > 0 ? [lens(0, ['symbol-operator', title], 'distillery.toggleRendering')] : [];
}

function studentLenses({ case: { reference, shown, fault }, layout }: OpenCase, lineOf: LineOf): vscode.CodeLens[] {
  if (!layout.student) return [];
  const line = lineOf(layout.student.heading);
  const target = { ...reference, ...shown!.place };
  const lenses = [lens(line, ['list-selection', 'Show Another Answer'], 'distillery.chooseAnswer', reference)];
  if (layout.teacher) lenses.push(lens(line, ['diff', 'Compare with Teacher'], 'distillery.compareChains', target));
  const mark = 'distillery.markFirstWrongStep';
  if (fault?.by === 'person') lenses.push(lens(line, ['discard', 'Remove the Mark'], mark, reference, null));
  else if (!shown!.rollout) lenses.push(lens(line, ['error', 'Mark First Wrong Step (Shift+W)'], mark));
  return lenses;
}

function teacherLenses({ case: { reference, picked }, layout }: OpenCase, lineOf: LineOf): vscode.CodeLens[] {
  if (!layout.teacher) return [];
  const line = lineOf(layout.teacher.heading);
  return [
    lens(line, ['sparkle', 'Rewrite with Student'], 'distillery.rewriteCase', reference),
    lens(line, ['edit', 'Write a Rewrite'], 'distillery.editRewrite', reference),
    picked
      ? lens(line, ['remove', 'Remove from Stage 3'], 'distillery.removeFromStage3', reference)
      : lens(line, ['add', 'Add to Stage 3'], 'distillery.addToStage3', reference),
  ];
}

function rewriteLenses({ case: { reference }, layout }: OpenCase, lineOf: LineOf): vscode.CodeLens[] {
  return layout.rewrites.flatMap(({ section, rewrite }) => {
    const line = lineOf(section.heading);
    const act = (icon: string, title: string, command: string) =>
      lens(line, [icon, title], command, reference, rewrite.text);
    const lenses = [act('edit', 'Edit', 'distillery.editRewrite')];
    if (canBe.accepted(rewrite)) lenses.unshift(act('check', 'Accept', 'distillery.acceptRewrite'));
    if (canBe.rejected(rewrite)) lenses.push(act('x', 'Reject', 'distillery.rejectRewrite'));
    return lenses;
  });
}
