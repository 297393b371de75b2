import { isAccepted } from '../../cases/rewrites';
import { placeChain } from '../../chain/split';
import { UserError } from '../../errors';
import { decisionsOf, readDecisions } from '../../runs/decisions';
import { command, trustedCommand } from '../commands/report';
import { neighbour } from '../failures/cases';
import type { Services } from '../services';
import { plural } from '../shared/words';
import * as vscode from '../vscode';
import { type Case, readCase } from './case';
import { activeCase, openCase, problemsFrom } from './case-commands';
import type { CaseDocuments } from './case-documents';
import { decide, markRead, markStep, note } from './decide';
import { type CaseReference, referenceFrom } from './reference';
import { canBe } from './rewrite-actions';

/** Navigation through many cases: next and previous, marks and notes, decisions on several at once. */
export function registerReading(services: Services, documents: CaseDocuments): vscode.Disposable {
  return vscode.Disposable.from(
    ...navigationCommands(services, documents),
    ...markCommands(services, documents),
    ...registerBulkCommands(services, documents),
  );
}

function named(argument: unknown): CaseReference {
  const reference = referenceFrom(argument) ?? activeCase();
  if (reference) return reference;
  throw new UserError('no failure case is open', { code: 'input', remedy: 'Open one from the Failure Cases view.' });
}

function navigationCommands(services: Services, documents: CaseDocuments): vscode.Disposable[] {
  const step = (by: 1 | -1) => async (argument?: unknown) => {
    const { run, problemId } = named(argument);
    const next = neighbour(services.cases.order(run) ?? [], problemId, by);
    if (next === undefined) showInStatusBar('There is no other case in the list.');
    else await openCase(services, documents, { run, problemId: next });
  };
  return [command(services, 'distillery.nextCase', step(1)), command(services, 'distillery.previousCase', step(-1))];
}

/** A person's mark of the first wrong step, or note. */
function markCommands(services: Services, documents: CaseDocuments): vscode.Disposable[] {
  const { cache } = services.runs;
  return [
    trustedCommand(services, 'distillery.markFirstWrongStep', (argument?: unknown, asked?: unknown) => {
      const reference = named(argument);
      const shown = argument === undefined ? documents.at(documents.uriOf(reference))?.value?.case : undefined;
      const of = shown ?? readCase(cache, reference);
      const at = typeof asked === 'number' || asked === null ? asked : stepAtCursor(documents, of);
      if (at === undefined || !of.shown) throw notInStep();
      markStep(of, of.shown, at);
      documents.showChanged(reference.run);
      showInStatusBar(at === null ? 'The mark is removed.' : `Step ${at + 1} is marked as the first wrong one.`);
    }),
    trustedCommand(services, 'distillery.noteCase', async (argument?: unknown, written?: unknown) => {
      const { run, problemId } = named(argument);
      const of = readCase(cache, { run, problemId });
      const text =
        typeof written === 'string'
          ? written
          : await vscode.window.showInputBox({
              title: `Note on ${problemId}`,
              prompt: "Saved in the run's decisions.jsonl; the filter finds it",
              value: of.note ?? '',
            });
      if (text === undefined) return;
      note(of, text.trim());
      documents.showChanged(run);
    }),
  ];
}

/** Marks and decisions for all selected cases. */
function registerBulkCommands(services: Services, documents: CaseDocuments): vscode.Disposable[] {
  /** Applies an action to every case of a command and reports how many there were. */
  const onEach = (argument: unknown, selected: unknown, act: (one: Case) => boolean) => {
    const problems = problemsFrom(argument, selected);
    if (problems.length === 0) named(argument);
    const chosen = new Map(problems.map((one) => [JSON.stringify([one.run, one.problemId]), one]));
    // Reads all cases before deciding on the first, so that the decisions file is read once a run and not once a case.
    const decided = new Map(
      [...new Set(problems.map(({ run }) => run))].map((run) => [run, decisionsOf(readDecisions(run))]),
    );
    const all = [...chosen.values()].map(({ run, problemId }) =>
      readCase(services.runs.cache, { run, problemId }, decided.get(run)),
    );
    const done = all.filter(act);
    for (const run of decided.keys()) documents.showChanged(run);
    return done.length;
  };
  const mark = (asRead: boolean) => (argument?: unknown, selected?: unknown) =>
    onEach(argument, selected, (one) => {
      if (one.read !== asRead) markRead(one, asRead);
      return true;
    });
  return [
    trustedCommand(services, 'distillery.markRead', mark(true)),
    trustedCommand(services, 'distillery.markUnread', mark(false)),
    trustedCommand(services, 'distillery.acceptBestRewrites', (argument?: unknown, selected?: unknown) => {
      const done = onEach(argument, selected, (one) => {
        const best = one.rewrites.find(({ verdict }) => verdict !== 'rejected');
        if (!best || !canBe.accepted(best) || one.rewrites.some(isAccepted)) return false;
        decide(one, best, 'accepted');
        return true;
      });
      showInStatusBar(`${plural(done, 'rewrite')} accepted. The next Stage 3 trains on them.`);
    }),
    trustedCommand(services, 'distillery.rejectAllRewrites', (argument?: unknown, selected?: unknown) => {
      let rejected = 0;
      onEach(argument, selected, (one) => {
        const some = one.rewrites.filter(canBe.rejected);
        for (const rewrite of some) decide(one, rewrite, 'rejected');
        rejected += some.length;
        return some.length > 0;
      });
      showInStatusBar(`${plural(rejected, 'rewrite')} rejected.`);
    }),
  ];
}

const showInStatusBar = (text: string) => vscode.window.setStatusBarMessage(text, 5000);

const notInStep = () =>
  new UserError('the cursor is not in a step of the student’s answer', {
    code: 'input',
    remedy: 'Put it into the first wrong step, above "Teacher".',
  });

/** The step (from 0) of the shown answer at the cursor; undefined outside of steps. */
function stepAtCursor(documents: CaseDocuments, { shown, reference }: Case): number | undefined {
  const editor = vscode.window.activeTextEditor;
  const layout = editor && documents.at(editor.document.uri)?.value?.layout;
  if (!editor || !layout?.student || !shown || shown.rollout || editor.document.getText() !== layout.text)
    return undefined;
  if (activeCase()?.problemId !== reference.problemId) return undefined;
  const { start, end } = layout.student;
  const offset = editor.document.offsetAt(editor.selection.active);
  if (offset < start || offset > end) return undefined;
  const at = placeChain(shown.text).steps.findLastIndex((step) => start + step.start <= offset);
  return at < 0 ? 0 : at;
}
