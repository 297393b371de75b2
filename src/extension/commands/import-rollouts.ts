import { basename, join } from 'node:path';
import { type ImportedRollouts, importRollouts } from '../../imports/import';
import { runsFolderName } from '../../runs/layout';
import type { Services } from '../services';
import { percent, plural } from '../shared/words';
import * as vscode from '../vscode';
import { trustedCommand } from './report';

/** What to import, and whether to keep following it. */
interface ImportRequest {
  path: string;
  follow: boolean;
}

/** `distillery.importRollouts`: turns the logs of another trainer into a run that every view can open. */
export function registerImportRollouts(services: Services): vscode.Disposable {
  const following = new Set<AbortController>();
  return vscode.Disposable.from(
    {
      dispose: () => {
        for (const stop of following) stop.abort();
      },
    },
    trustedCommand(services, 'distillery.importRollouts', async (argument?: unknown) => {
      const [folder] = vscode.workspace.workspaceFolders ?? [];
      if (!folder) return void vscode.window.showInformationMessage('Open a folder first. The run is stored in it.');
      const asked = askedBy(argument) ?? (await ask());
      if (!asked) return undefined;
      const stop = new AbortController();
      following.add(stop);
      try {
        return await importWithProgress(services, asked, join(folder.uri.fsPath, runsFolderName), stop);
      } finally {
        following.delete(stop);
      }
    }),
  );
}

async function importWithProgress(
  { runs }: Services,
  { path, follow }: ImportRequest,
  runsFolder: string,
  stop: AbortController,
): Promise<string[] | undefined> {
  let shown = '';
  const title = follow ? `Following ${basename(path)}` : `Importing ${basename(path)}`;
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: follow };
  const imported = await vscode.window.withProgress(options, (progress, token) => {
    token.onCancellationRequested(() => stop.abort());
    return importRollouts(path, {
      runsFolder,
      ...(follow && { follow: stop.signal }),
      progress: ({ completions, share, run }) => {
        const place = follow ? 'Cancel to stop following; the run is kept' : percent(share, 0);
        progress.report({ message: `${plural(completions, 'completion')}. ${place}` });
        if (!follow || shown !== '') return;
        shown = run;
        runs.refresh(run);
        void vscode.commands.executeCommand('distillery.openDashboard', run);
      },
    });
  });
  for (const { folder } of imported) runs.refresh(folder);
  if (shown === '') void vscode.commands.executeCommand('distillery.openDashboard', imported[0].folder);
  void vscode.window.showInformationMessage(sentences(imported));
  return imported.map(({ folder }) => folder);
}

function sentences(imported: readonly ImportedRollouts[]): string {
  const sum = (of: (one: ImportedRollouts) => number) => imported.reduce((total, one) => total + of(one), 0);
  const [completions, updates, tests] = [
    sum((one) => one.completions),
    sum((one) => one.updates),
    sum((one) => one.tests),
  ];
  const what = [
    ...(completions > 0 ? [`${plural(completions, 'completion')} of ${plural(updates, 'update')}`] : []),
    ...(tests > 0 ? [plural(tests, 'test')] : []),
    ...(completions === 0 && tests === 0 ? [plural(updates, 'update')] : []),
  ].join(', ');
  const where = imported.length > 1 ? ` into ${plural(imported.length, 'run')}` : '';
  const notes = new Set(imported.flatMap((one) => one.notes));
  return [`Imported ${what}${where}.`, ...notes].join(' ');
}

/** A URI from the Explorer, or fields from a test or another extension. */
function askedBy(argument: unknown): ImportRequest | undefined {
  if (argument instanceof vscode.Uri) return { path: argument.fsPath, follow: false };
  const { path, follow } = (argument ?? {}) as { path?: unknown; follow?: unknown };
  return typeof path === 'string' ? { path, follow: follow === true } : undefined;
}

async function ask(): Promise<ImportRequest | undefined> {
  const title = 'Import Rollouts';
  const folders = { folders: true, follow: false };
  const items = [
    {
      label: 'Folder',
      detail: "TRL's output_dir, verl's rollout_data_dir, logs of NeMo-RL, W&B or Inspect",
      value: folders,
    },
    {
      label: 'Folder, Followed as It Grows',
      detail: 'The run grows as the trainer writes, until you end it',
      value: { ...folders, follow: true },
    },
    {
      label: 'File',
      detail: "Trackio's store (.db), Inspect's log (.eval), Parquet, CSV, JSON lines",
      value: { folders: false, follow: false },
    },
  ];
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder: 'Where are the rollouts?' });
  if (!picked) return undefined;
  const path = await vscode.window.showOpenDialog({
    title,
    openLabel: 'Import',
    canSelectFiles: !picked.value.folders,
    canSelectFolders: picked.value.folders,
  });
  return path ? { path, follow: picked.value.follow } : undefined;
}
