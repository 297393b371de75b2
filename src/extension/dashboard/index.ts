import type { ToDashboard } from '../../protocol/dashboard';
import {
  type DashboardSubject,
  dashboardSubject,
  type FromDashboard,
  fromDashboard,
} from '../../protocol/dashboard-requests';
import { trustedCommand } from '../commands/report';
import { runChoice } from '../commands/run-choice';
import type { Services } from '../services';
import { cancellable } from '../shared/cancellable';
import { printedBy } from '../shared/command-line';
import { MarkdownPage } from '../shared/markdown-page';
import { type PageKind, WebviewPages } from '../shared/webview-page';
import * as vscode from '../vscode';
import { Dashboard, dashboardTitle } from './dashboard';
import { type CommandArgument, runsOf } from './subject';

/**
 * Live curves of one run, or of several overlaid: `distillery.openDashboard`, `distillery.compareRuns`. And their means
 * over seeds: `distillery.compareSeeds`.
 */
export function registerDashboard(services: Services): vscode.Disposable {
  const kind = {
    name: 'dashboard',
    subject: dashboardSubject,
    toExtension: fromDashboard,
    keyOf: ({ runs }: DashboardSubject) => JSON.stringify([...runs].sort()),
    titleOf: (subject: DashboardSubject) => dashboardTitle(subject, services.runs.cache),
  } satisfies PageKind<DashboardSubject, FromDashboard>;
  const choose = (runs: readonly string[]) => pickRuns(services, runs, true);
  const pages = new WebviewPages<DashboardSubject, ToDashboard, FromDashboard>(
    services,
    kind,
    (page) => new Dashboard(services, page, choose),
  );
  const runsFor = (first: CommandArgument, selected: CommandArgument, many: boolean) => {
    const named = runsOf(first, selected);
    return named.length > (many ? 1 : 0) ? named : pickRuns(services, named, many);
  };
  const open = async (first: CommandArgument, selected: CommandArgument, many: boolean) => {
    const runs = await runsFor(first, selected, many);
    if (runs) pages.open({ runs: runs.slice(0, 12) });
  };
  const comparison = new MarkdownPage(
    vscode.Uri.from({ scheme: 'distillery-comparison', path: '/Runs over Seeds.md' }),
  );
  return vscode.Disposable.from(
    pages,
    comparison,
    vscode.commands.registerCommand('distillery.openDashboard', (first: CommandArgument, selected: CommandArgument) =>
      open(first, selected, false),
    ),
    vscode.commands.registerCommand('distillery.compareRuns', (first: CommandArgument, selected: CommandArgument) =>
      open(first, selected, true),
    ),
    trustedCommand(services, 'distillery.compareSeeds', async (first: CommandArgument, selected: CommandArgument) => {
      const runs = await runsFor(first, selected, true);
      if (!runs) return;
      const tables = await cancellable('Distillery: comparing runs over seeds', (signal) =>
        printedBy(['compare', ...runs, '--markdown'], signal),
      );
      await comparison.show(`# Runs over seeds\n\n${tables}`);
    }),
  );
}

interface RunItem extends vscode.QuickPickItem {
  folder: string;
}

/** Asks for one run, or for several; undefined when dismissed. The first one picked stays first. */
async function pickRuns(services: Services, picked: readonly string[], many: boolean): Promise<string[] | undefined> {
  const items = services.runs.selectedFirst().flatMap((listing): RunItem[] => {
    if (!('run' in listing)) return [];
    const { folder } = listing;
    return [{ ...runChoice(listing, services.runs.cache), folder, picked: picked.includes(folder) }];
  });
  if (items.length === 0) {
    void vscode.window.showInformationMessage('There are no runs in this workspace yet. Run a curriculum first.');
    return undefined;
  }
  if (!many) {
    if (items.length === 1) return [items[0].folder];
    const one = await vscode.window.showQuickPick(items, {
      placeHolder: 'Run to open the dashboard of',
      matchOnDescription: true,
      matchOnDetail: true,
    });
    return one && [one.folder];
  }
  const some = await vscode.window.showQuickPick(items, {
    canPickMany: true,
    matchOnDescription: true,
    matchOnDetail: true,
    placeHolder: 'Runs to compare (the oldest is the baseline)',
  });
  if (!some || some.length === 0) return undefined;
  const folders = some.map(({ folder }) => folder).sort();
  return [...picked.filter((run) => folders.includes(run)), ...folders.filter((run) => !picked.includes(run))];
}
