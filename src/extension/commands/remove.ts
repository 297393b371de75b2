import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { guardDisk } from '../../disk';
import { UserError } from '../../errors';
import { runFile } from '../../runs/layout';
import { openRun, stateOf } from '../../runs/reading';
import { attempt } from '../file-cache';
import { isLive } from '../run-cache';
import type { Services } from '../services';
import { plural, stateTitles } from '../words';
import { chosen, named } from './arguments';
import { pickRun } from './pick';
import { trustedCommand } from './report';

/** Delete Run and Archive Run, for one or for all that are selected, and bringing archived ones back. */
export function registerRemove(services: Services): vscode.Disposable {
  const { t } = vscode.l10n;
  const runsOf = async (argument: unknown, selected: unknown, title: string): Promise<string[]> => {
    const given = chosen(argument, selected).flatMap((one) => named(one).run ?? []);
    if (given.length > 0) return [...new Set(given)];
    const none = { message: 'there is no run that is not on' };
    const run = await pickRun(services, {}, title, (_, one) => !isLive(one), none);
    return run ? [run] : [];
  };
  return vscode.Disposable.from(
    trustedCommand(services, 'distillery.deleteRun', async (argument: unknown, selected: unknown) => {
      const runs = await runsOf(argument, selected, t('Delete Run'));
      if (runs.length === 0) return;
      refuseLive(services, runs);
      const button = t('Delete');
      const question =
        runs.length === 1 ? t('Delete the run {0}?', basename(runs[0])) : t('Delete {0}?', plural(runs.length, 'run'));
      const detail = t('Its checkpoints, rollouts and failure cases go with it, to the trash where there is one.');
      if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, button)) !== button) return;
      refuseLive(services, runs);
      await remove(runs);
      services.runs.refresh();
    }),
    trustedCommand(services, 'distillery.archiveRun', async (argument: unknown, selected: unknown) => {
      const runs = await runsOf(argument, selected, t('Archive Run'));
      if (runs.length === 0) return;
      refuseLive(services, runs);
      const moved = runs.map((run) => ({ run, archived: archive(run) }));
      services.runs.refresh();
      const undo = t('Undo');
      const text =
        runs.length === 1
          ? t('Moved to {0}', moved[0].archived)
          : t('{0} moved to the archive', plural(runs.length, 'run'));
      void vscode.window.showInformationMessage(text, undo).then((answer) => {
        if (answer !== undo) return;
        for (const { run, archived } of moved) if (!existsSync(run)) renameSync(archived, run);
        services.runs.refresh();
      });
    }),
    trustedCommand(services, 'distillery.restoreRuns', () => restore(services)),
  );
}

/** Asks which archived runs come back to where they were. */
async function restore({ runs }: Services): Promise<void> {
  const { t } = vscode.l10n;
  const items = runs.folders().flatMap((folder) =>
    archivedIn(folder).map((archived) => {
      const found = attempt(archived, () => openRun(archived)).value;
      return {
        ...{ label: basename(archived), description: found ? stateTitles[stateOf(found)] : t('cannot be read') },
        ...{ archived, run: join(folder, basename(archived)) },
      };
    }),
  );
  if (items.length === 0) throw new UserError('no run is archived', { code: 'missing' });
  const title = t('Restore Archived Runs');
  const chosen = await vscode.window.showQuickPick(items, {
    title,
    canPickMany: true,
    placeHolder: t('Runs'),
    ignoreFocusOut: true, // as in `choose`; what is marked is not lost by a look elsewhere
  });
  for (const { archived, run } of chosen ?? []) {
    if (existsSync(run))
      throw new UserError('there is a run of this name', { file: run, code: 'exists', remedy: 'Archive it first.' });
    guardDisk(run, 'the run stays in the archive', () => renameSync(archived, run));
  }
  if (chosen?.length) runs.refresh();
}

const archiveOf = (runsFolder: string) => join(runsFolder, '..', 'archive');

/** Archived runs that came from a folder of runs, newest first. */
function archivedIn(runsFolder: string): string[] {
  const folder = archiveOf(runsFolder);
  return existsSync(folder)
    ? readdirSync(folder)
        .map((name) => join(folder, name))
        .filter((path) => existsSync(runFile(path)))
        .sort()
        .reverse()
    : [];
}

function refuseLive({ runs }: Services, folders: readonly string[]): void {
  for (const folder of folders) {
    const listing = runs.cache.find(folder);
    if ('run' in listing && isLive(listing.run))
      throw new UserError(`the run ${listing.id} is on`, { file: folder, code: 'locked', remedy: 'Stop it first.' });
  }
}

/** To the trash; where the file system has none (servers, containers), asks again before it is for good. */
async function remove(runs: readonly string[]): Promise<void> {
  const { t } = vscode.l10n;
  let forGood = false;
  for (const run of runs) {
    const uri = vscode.Uri.file(run);
    try {
      await vscode.workspace.fs.delete(uri, { recursive: true, useTrash: !forGood });
    } catch (error) {
      if (forGood || !existsSync(run)) throw error;
      const button = t('Delete Permanently');
      const detail = t('There is no trash on this machine: it cannot be brought back.');
      const question = t('Delete {0} permanently?', basename(run));
      if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, button)) !== button) return;
      forGood = true;
      await vscode.workspace.fs.delete(uri, { recursive: true, useTrash: false });
    }
  }
}

/** Moves a run from `.distillery/runs` to `.distillery/archive`, where no view looks. Returns where it is now. */
function archive(run: string): string {
  const folder = archiveOf(dirname(run));
  let place = join(folder, basename(run));
  for (let i = 2; existsSync(place); i++) place = join(folder, `${basename(run)}-${i}`);
  guardDisk(run, 'the run stays where it is', () => {
    mkdirSync(folder, { recursive: true });
    renameSync(run, place);
  });
  return place;
}
