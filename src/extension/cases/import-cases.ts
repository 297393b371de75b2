import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { importCases } from '../../cases/import';
import { runsFolderName } from '../../runs/layout';
import type { Services } from '../services';
import { plural } from '../words';
import { report } from './case-commands';

/** `distillery.importCases`: a file of recorded answers becomes a run whose cases every view opens. */
export function registerImport({ runs }: Services): vscode.Disposable {
  return vscode.commands.registerCommand('distillery.importCases', (argument?: unknown) =>
    report(async () => {
      const [folder] = vscode.workspace.workspaceFolders ?? [];
      if (!folder) return void vscode.window.showInformationMessage('Open a folder first: the run goes into it.');
      const file = argument instanceof vscode.Uri ? argument : await chooseFile();
      if (!file) return undefined;
      const imported = await vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title: `Importing ${basename(file.fsPath)}` },
        (progress) => {
          let told = 0;
          return importCases(file.fsPath, join(folder.uri.fsPath, runsFolderName), (done, all) => {
            progress.report({ message: `${done} of ${all}`, increment: (100 * (done - told)) / all });
            told = done;
          });
        },
      );
      runs.refresh(imported.folder);
      void vscode.commands.executeCommand('distillery.showFailures', { run: imported.folder });
      void vscode.window.showInformationMessage(
        `${plural(imported.cases, 'case')} imported, ${imported.located} with a first wrong step.`,
      );
      return imported.folder;
    }),
  );
}

async function chooseFile(): Promise<vscode.Uri | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    title: 'Import failure cases',
    openLabel: 'Import',
    filters: { 'Recorded answers': ['json', 'jsonl'] },
  });
  return chosen?.[0];
}
