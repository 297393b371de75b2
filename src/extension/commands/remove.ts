import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '../../errors';
import { archivedRuns, archiveRun, restoreRun } from '../../runs/archive';
import { openRun, stateOf } from '../../runs/reading';
import type { Services } from '../services';
import { offer } from '../shared/offers';
import { plural, stateTitles } from '../shared/words';
import * as vscode from '../vscode';
import { attempt } from '../workspace/file-cache';
import { isLive } from '../workspace/run-cache';
import { chosen, named } from './arguments';
import { pickRun } from './pick';
import { trustedCommand } from './report';

/** Delete Run and Archive Run, for one or all selected runs, and Restore Archived Runs. */
export function registerRemove(services: Services): vscode.Disposable {
  const runsOf = async (argument: unknown, selected: unknown, title: string): Promise<string[]> => {
    const given = chosen(argument, selected).flatMap((one) => named(one).run ?? []);
    if (given.length > 0) return [...new Set(given)];
    const none = { message: 'there is no run to remove', remedy: 'Stop runs in progress first.' };
    const run = await pickRun(services, {}, { title, fits: (_, one) => !isLive(one), none });
    return run ? [run] : [];
  };
  return vscode.Disposable.from(
    trustedCommand(services, 'distillery.deleteRun', async (argument: unknown, selected: unknown) => {
      const runs = await runsOf(argument, selected, 'Delete Run');
      if (runs.length === 0) return;
      refuseLive(services, runs);
      const button = 'Delete';
      const question =
        runs.length === 1 ? `Delete the run ${basename(runs[0])}?` : `Delete ${plural(runs.length, 'run')}?`;
      const detail =
        'Its checkpoints, rollouts and failure cases are deleted too. They go to the trash if there is one.';
      if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, button)) !== button) return;
      refuseLive(services, runs);
      await remove(runs);
      services.runs.refresh();
    }),
    trustedCommand(services, 'distillery.archiveRun', async (argument: unknown, selected: unknown) => {
      const runs = await runsOf(argument, selected, 'Archive Run');
      if (runs.length === 0) return;
      refuseLive(services, runs);
      const moved = runs.map((run) => ({ run, archived: archiveRun(run) }));
      services.runs.refresh();
      const undo = () => {
        for (const { run, archived } of moved) if (!existsSync(run)) restoreRun(archived, run);
        services.runs.refresh();
      };
      const text =
        runs.length === 1 ? `Moved to ${moved[0].archived}` : `${plural(runs.length, 'run')} moved to the archive`;
      void offer(text, { title: 'Undo', run: undo });
    }),
    trustedCommand(services, 'distillery.restoreRuns', () => restore(services)),
  );
}

/** Asks which archived runs to move back. */
async function restore({ runs }: Services): Promise<void> {
  const items = runs.folders().flatMap((folder) =>
    archivedRuns(folder).map((archived) => {
      const found = attempt(archived, () => openRun(archived)).value;
      return {
        label: basename(archived),
        description: found ? stateTitles[stateOf(found)] : 'cannot be read',
        archived,
        run: join(folder, basename(archived)),
      };
    }),
  );
  if (items.length === 0) throw new UserError('no run is archived', { code: 'missing' });
  const title = 'Restore Archived Runs';
  const chosen = await vscode.window.showQuickPick(items, {
    title,
    canPickMany: true,
    placeHolder: 'Runs',
    ignoreFocusOut: true, // as in `choose`; what is marked is not lost by a look elsewhere
  });
  for (const { archived, run } of chosen ?? []) restoreRun(archived, run);
  if (chosen?.length) runs.refresh();
}

function refuseLive({ runs }: Services, folders: readonly string[]): void {
  for (const folder of folders) {
    const listing = runs.cache.find(folder);
    if ('run' in listing && isLive(listing.run))
      throw new UserError(`the run ${listing.id} is in progress`, {
        file: folder,
        code: 'locked',
        remedy: 'Stop it first.',
      });
  }
}

/** Moves to the trash. Where the file system has none (servers, containers), asks again before deleting for good. */
async function remove(runs: readonly string[]): Promise<void> {
  let forGood = false;
  for (const run of runs) {
    const uri = vscode.Uri.file(run);
    try {
      await vscode.workspace.fs.delete(uri, { recursive: true, useTrash: !forGood });
    } catch (error) {
      if (forGood || !existsSync(run)) throw error;
      const button = 'Delete Permanently';
      const detail = 'There is no trash on this machine: this cannot be undone.';
      const question = `Delete ${basename(run)} permanently?`;
      if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, button)) !== button) return;
      forGood = true;
      await vscode.workspace.fs.delete(uri, { recursive: true, useTrash: false });
    }
  }
}
