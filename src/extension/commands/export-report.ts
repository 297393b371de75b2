import { dirname, join } from 'node:path';
import { reportOf } from '../../report/report';
import { openRun } from '../../runs/reading';
import { writeOutput } from '../../writing';
import type { Services } from '../services';
import { offer } from '../shared/offers';
import * as vscode from '../vscode';
import { named } from './arguments';
import { pickRun } from './pick';
import { trustedCommand } from './report';

/** `distillery.exportReport`: a run as one HTML page. Without `to`, asks where to save it. */
export function registerExportReport(services: Services): vscode.Disposable {
  return trustedCommand(services, 'distillery.exportReport', async (argument?: unknown, to?: unknown) => {
    const none = { message: 'there is no run to report on yet' };
    const run = await pickRun(services, named(argument), { title: 'Export Report', none });
    if (run === undefined) return undefined;
    const opened = openRun(run);
    const file = typeof to === 'string' ? to : await chooseFile(opened.record.id, run);
    if (file === undefined) return undefined;
    const { version } = services.context.extension.packageJSON as { version: string };
    writeOutput(file, reportOf(opened, { version }));
    const open = { title: 'Open in Browser', run: () => vscode.env.openExternal(vscode.Uri.file(file)) };
    void offer(`The report was saved to ${file}.`, open);
    return file;
  });
}

function chooseFile(id: string, run: string): Promise<string | undefined> {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  return vscode.window.showSaveDialog({
    title: 'Export Report',
    saveLabel: 'Export',
    defaultUri: vscode.Uri.file(join(folder?.uri.fsPath ?? dirname(run), `${id}.html`)),
    filters: { 'Web page': ['html'] },
  });
}
