import { decisionsOf, readDecisions } from '../../runs/decisions';
import { command, trustedCommand } from '../commands/report';
import type { Services } from '../services';
import { commandOffer, offer } from '../shared/offers';
import { columnOf, readingColumn } from '../shared/reading-column';
import { plural } from '../shared/words';
import * as vscode from '../vscode';
import type { Case } from './case';
import type { CaseDocuments } from './case-documents';
import { chooseAnswer } from './choose-answer';
import { chooseRewrite, rewriteAtCursor } from './choose-rewrite';
import { decide, pick } from './decide';
import { type CaseReference, caseScheme, referenceAt, referenceFrom } from './reference';
import type { canBe } from './rewrite-actions';
import { rewriteWithStudent } from './rewrite-with-student';
import { rewriteName } from './text';

/**
 * Commands on cases. Each takes a case (an object or a tree node), or falls back to the case of the active document.
 */
export function registerCommands(services: Services, documents: CaseDocuments): vscode.Disposable {
  return vscode.Disposable.from(
    ...showingCommands(services, documents),
    ...rewriteCommands(services, documents),
    ...pickingCommands(services, documents),
  );
}

type CaseAction = (reference: CaseReference, ...more: unknown[]) => unknown;

const onCase = (services: Services, id: `distillery.${string}`, action: CaseAction, register = trustedCommand) =>
  register(services, id, (argument?: unknown, ...more: unknown[]) => {
    const reference = referenceFrom(argument) ?? activeCase();
    return reference ? action(reference, ...more) : showNoCaseOpen();
  });

const showNoCaseOpen = () => void vscode.window.showInformationMessage('Open a failure case first.');

function showingCommands(services: Services, documents: CaseDocuments): vscode.Disposable[] {
  const open: CaseAction = (reference, how) =>
    openCase(services, documents, reference, (how ?? {}) as { preserveFocus?: boolean });
  const choose: CaseAction = async (reference) => {
    const chosen = await chooseAnswer(documents.caseOf(reference));
    const { run, problemId } = reference;
    if (chosen) await openCase(services, documents, { run, problemId, ...chosen });
  };
  return [
    onCase(services, 'distillery.openCase', open, command),
    onCase(services, 'distillery.chooseAnswer', choose, command),
  ];
}

function rewriteCommands(services: Services, documents: CaseDocuments): vscode.Disposable[] {
  /** The rewrite with this text. Without a text, the rewrite at the cursor, or one that the person picks. */
  const rewriteFor = async ({ reference, rewrites }: Case, text: unknown, what: keyof typeof canBe) => {
    if (typeof text === 'string') return rewrites.find((one) => one.text === text);
    const { run, problemId } = reference;
    return rewriteAtCursor(documents, run, problemId) ?? (await chooseRewrite(rewrites, what));
  };
  const decideOn = async (reference: CaseReference, text: unknown, verdict: 'accepted' | 'rejected') => {
    const shown = documents.caseOf(reference);
    const rewrite = await rewriteFor(shown, text, verdict);
    if (!rewrite) return;
    const name = rewriteName(shown.rewrites, rewrite);
    const written = rewrite.verdict === 'edited' ? 'accepted' : rewrite.verdict;
    if (written !== verdict) decide(shown, rewrite, verdict);
    documents.showChanged(reference.run);
    const said = verdict === 'accepted' ? `${name} is accepted.` : `${name} is rejected.`;
    vscode.window.setStatusBarMessage(said, 5000);
  };
  return [
    onCase(services, 'distillery.rewriteCase', async (reference) => {
      await rewriteWithStudent(services, documents.caseOf(reference));
      documents.showChanged(reference.run);
    }),
    onCase(services, 'distillery.acceptRewrite', (reference, text) => decideOn(reference, text, 'accepted')),
    onCase(services, 'distillery.rejectRewrite', (reference, text) => decideOn(reference, text, 'rejected')),
    trustedCommand(services, 'distillery.editRewrite', async (argument?: unknown, text?: unknown) => {
      const reference = referenceFrom(argument) ?? activeCase();
      if (!reference) return showNoCaseOpen();
      const shown = documents.caseOf(reference);
      // Called on a case, it starts from the best rewrite or the teacher's chain; called from the palette, from the
      // rewrite at the cursor.
      const asked = argument === undefined && shown.rewrites.length > 0;
      const rewrite = asked ? await rewriteFor(shown, undefined, 'edited') : undefined;
      if (!asked || rewrite) await editRewrite(documents, shown, rewrite?.text ?? text);
    }),
  ];
}

/** Adds cases to the next Stage 3, or removes them. */
function pickingCommands(services: Services, documents: CaseDocuments): vscode.Disposable[] {
  const byRun = (problems: readonly { run: string; problemId: string }[]) =>
    [...new Set(problems.map(({ run }) => run))].map((run) => ({
      run,
      picked: problems
        .filter((one) => one.run === run)
        .map(({ problemId }) => ({ problemId, question: documents.caseOf({ run, problemId }).question })),
    }));
  return [
    trustedCommand(services, 'distillery.removeFromStage3', (argument?: unknown, selected?: unknown) => {
      const problems = problemsFrom(argument, selected);
      if (problems.length === 0) return showNoCaseOpen();
      for (const { run, picked } of byRun(problems)) {
        pick(run, picked, false);
        documents.showChanged(run);
      }
    }),
    trustedCommand(services, 'distillery.addToStage3', (argument?: unknown, selected?: unknown) => {
      const problems = problemsFrom(argument, selected);
      if (problems.length === 0)
        return void vscode.window.showInformationMessage('Choose failure cases to add to Stage 3.');
      for (const { run, picked } of byRun(problems)) {
        pick(run, picked, true);
        documents.showChanged(run);
        offerStage3(services, run, picked.length);
      }
    }),
  ];
}

/** Reports how many cases Stage 3 has now (`count` of them added by this command), and offers to run it on them. */
function offerStage3({ runs }: Services, run: string, count: number): void {
  const { size } = decisionsOf(readDecisions(run)).picked;
  const added = plural(count, 'case');
  const text = size === count ? `${added} added to Stage 3.` : `${added} added to Stage 3, ${size} in all.`;
  // Cases added from an import wait for an experiment.
  const start = runs.experiments().length > 0 ? [commandOffer('Run Stage 3', 'distillery.runStage3', { run })] : [];
  void offer(text, ...start);
}

/**
 * Opens a case's document, replacing another answer of the same problem if one is open there. The default answer needs
 * no sample in its address.
 */
export async function openCase(
  { cases }: Services,
  documents: CaseDocuments,
  reference: CaseReference,
  { preserveFocus = false }: { preserveFocus?: boolean } = {},
): Promise<void> {
  const plain = { run: reference.run, problemId: reference.problemId };
  const usual = documents.at(documents.uriOf(plain))?.value?.case.shown?.place;
  const { sample, stage, step } = reference;
  const asUsual = stage === undefined && step === undefined && (sample === undefined || usual?.sample === sample);
  const uri = documents.uriOf(asUsual ? plain : reference);
  const read = documents.at(uri);
  if (read?.problem) throw read.problem;
  const isOfProblem = (open: vscode.Uri) => {
    const at = open.scheme === caseScheme ? referenceAt(open) : undefined;
    return at?.kind === 'case' && at.reference.run === plain.run && at.reference.problemId === plain.problemId;
  };
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), {
    preview: true,
    viewColumn: columnOf(isOfProblem) ?? readingColumn(),
    preserveFocus,
  });
  cases.show(plain.run, plain.problemId);
}

/** Opens the rewrite for editing. It starts from `text`, else from the accepted or best rewrite. */
async function editRewrite(documents: CaseDocuments, shown: Case, text: unknown): Promise<void> {
  const uri = documents.uriOf({ run: shown.reference.run, problemId: shown.reference.problemId }, 'rewrite');
  const document = await vscode.workspace.openTextDocument(uri);
  const editor = await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside });
  if (typeof text !== 'string' || document.isDirty || document.getText().trim() === text.trim()) return;
  const all = new vscode.Range(0, 0, document.lineCount, 0);
  await editor.edit((edit) => edit.replace(all, `${text.trimEnd()}\n`));
}

/** Called with `{run, problemIds}`, with cases selected in a tree, or on the active document. */
export function problemsFrom(argument: unknown, selected: unknown): { run: string; problemId: string }[] {
  const { run, problemIds } = (argument ?? {}) as { run?: unknown; problemIds?: unknown };
  if (typeof run === 'string' && Array.isArray(problemIds))
    return problemIds.filter((id) => typeof id === 'string').map((problemId) => ({ run, problemId }));
  const nodes = (Array.isArray(selected) && selected.length > 0 ? selected : [argument]).flatMap(
    (node) => referenceFrom(node) ?? [],
  );
  const active = nodes.length === 0 ? activeCase() : undefined;
  return active ? [active] : nodes;
}

export function activeCase(): CaseReference | undefined {
  const uri = vscode.window.activeTextEditor?.document.uri;
  return uri && referenceAt(uri)?.reference;
}
