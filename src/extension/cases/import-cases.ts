import { basename, join } from 'node:path';
import { importCases } from '../../cases/import';
import { runsFolderName } from '../../runs/layout';
import { trustedCommand } from '../commands/report';
import type { Services } from '../services';
import * as vscode from '../vscode';
import { plural } from '../words';

const { t } = vscode.l10n;

/** `distillery.importCases`: turns a file of recorded answers into a run that every view can open. */
export function registerImport(services: Services): vscode.Disposable {
  const { runs } = services;
  return trustedCommand(services, 'distillery.importCases', async (argument?: unknown) => {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    if (!folder) return void vscode.window.showInformationMessage(t('Open a folder first. The run is stored in it.'));
    const file = argument instanceof vscode.Uri ? argument.fsPath : await chooseFile();
    if (!file) return undefined;
    const imported = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: t('Importing {0}', basename(file)) },
      (progress) => {
        let reported = 0;
        return importCases(file, join(folder.uri.fsPath, runsFolderName), (done, all) => {
          progress.report({ message: t('{0} of {1}', done, all), increment: (100 * (done - reported)) / all });
          reported = done;
        });
      },
    );
    runs.refresh(imported.folder);
    void vscode.commands.executeCommand('distillery.showFailures', { run: imported.folder });
    void vscode.window.showInformationMessage(
      t('{0} imported, {1} with a first wrong step.', plural(imported.cases, 'case'), imported.located),
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
