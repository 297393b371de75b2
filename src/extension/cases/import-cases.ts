import { basename, join } from 'node:path';
import { importCases } from '../../cases/import';
import { runsFolderName } from '../../runs/layout';
import { trustedCommand } from '../commands/report';
import type { Services } from '../services';
import { plural } from '../shared/words';
import * as vscode from '../vscode';

/** `distillery.importCases`: turns a file of recorded answers into a run that every view can open. */
export function registerImport(services: Services): vscode.Disposable {
  const { runs } = services;
  return trustedCommand(services, 'distillery.importCases', async (argument?: unknown) => {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    if (!folder) return void vscode.window.showInformationMessage('Open a folder first. The run is stored in it.');
    const file = argument instanceof vscode.Uri ? argument.fsPath : await chooseFile();
    if (!file) return undefined;
    const imported = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: `Importing ${basename(file)}` },
      (progress) => {
        let reported = 0;
        return importCases(file, join(folder.uri.fsPath, runsFolderName), (done, all) => {
          progress.report({ message: `${done} of ${all}`, increment: (100 * (done - reported)) / all });
          reported = done;
        });
      },
    );
    runs.refresh(imported.folder);
    void vscode.commands.executeCommand('distillery.showFailures', { run: imported.folder });
    void vscode.window.showInformationMessage(
      `${plural(imported.cases, 'case')} imported, ${imported.located} with a first wrong step.`,
    );
    return imported.folder;
  });
}

const chooseFile = () =>
  vscode.window.showOpenDialog({
    title: 'Import Failure Cases',
    openLabel: 'Import',
    filters: { 'Recorded Answers': ['json', 'jsonl'] },
  });
