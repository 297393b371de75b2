import { basename, dirname } from 'node:path';
import { nodeAt, parseDocument } from '../../config/document';
import type { Issue } from '../../config/issue';
import { rewardStarter } from '../../config/snippets';
import { guardDisk } from '../../disk';
import { missingDataset, missingStudent } from '../../hub/cache';
import { createFile, makeFolder } from '../../writing';
import { trustedCommand } from '../commands/report';
import type { Services } from '../services';
import * as vscode from '../vscode';
import { configIssues, missingReward } from './issues';
import { configKind } from './kinds';
import { currentText, rangeAt } from './texts';

/** Fixes for problems in a config, including those reported by VS Code's JSON service. */
export const quickFixes: vscode.CodeActionProvider = {
  provideCodeActions(document, range, { diagnostics }) {
    const kind = configKind(document.fileName);
    if (!kind) return [];
    const text = document.getText();
    const here = configIssues(kind, text, document.fileName, currentText)
      .map((issue) => ({ issue, place: rangeAt(document, issue.offset, issue.length) }))
      .filter(({ place }) => place.intersection(range));
    return here.flatMap(({ issue, place }) => {
      const shown = diagnostics.filter((diagnostic) => diagnostic.range.intersection(place));
      const actions = issue.fixes.map(({ title, offset, length, text: inserted }) => {
        const edit = new vscode.WorkspaceEdit();
        edit.replace(document.uri, rangeAt(document, offset, length), inserted);
        return action(title, edit, shown);
      });
      const value: unknown = nodeAt(parseDocument(text), issue.path)?.value;
      const missing = missingReward(issue, value, document.fileName);
      const all = [
        ...actions,
        ...(missing ? [createReward(missing, shown)] : downloads(issue, value, document, shown)),
      ];
      if (all.length === 1) all[0].isPreferred = true;
      return all;
    });
  },
};

function action(
  title: string,
  edit: vscode.WorkspaceEdit,
  diagnostics: vscode.CodeAction['diagnostics'],
): vscode.CodeAction {
  const fix = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
  fix.edit = edit;
  fix.diagnostics = diagnostics;
  return fix;
}

/** Offers to download a student or dataset of the Hub. */
function downloads(
  { path }: Issue,
  value: unknown,
  { fileName }: vscode.TextDocument,
  diagnostics: vscode.CodeAction['diagnostics'],
): vscode.CodeAction[] {
  if (typeof value !== 'string' || path.at(-1) !== 'path') return [];
  const isStudent = path[0] === 'student';
  if (!(isStudent ? missingStudent : missingDataset)(value, dirname(fileName))) return [];
  const title = `Download ${value}`;
  const fix = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
  const command = isStudent ? 'distillery.downloadStudent' : 'distillery.downloadDataset';
  fix.command = { command, title, arguments: [value] };
  fix.diagnostics = diagnostics;
  return [fix];
}

function createReward(file: string, diagnostics: vscode.CodeAction['diagnostics']): vscode.CodeAction {
  const title = `Create ${basename(file)}`;
  const fix = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
  fix.command = { command: 'distillery.createReward', title, arguments: [file] };
  fix.diagnostics = diagnostics;
  return fix;
}

/**
 * Creates a reward file from a template and opens it. A command, because a workspace edit would leave the file unsaved.
 */
export const registerCreateReward = (services: Services) =>
  trustedCommand(services, 'distillery.createReward', async (file: string) => {
    const uri = vscode.Uri.file(file);
    const name = basename(file).replace(/(\.reward)?\.json$/, '');
    const folder = dirname(file);
    guardDisk(file, 'the file could not be created', () => {
      makeFolder(folder, folder);
      createFile(folder, file, rewardStarter(name)); // an existing file is kept and shown
    });
    await vscode.window.showTextDocument(uri);
  });
