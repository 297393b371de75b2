import { basename } from 'node:path';
import { stageTitles } from '../../stages';
import { command } from '../commands/report';
import { configKind } from '../config/kinds';
import { reachedText, runTitle } from '../runs/items';
import type { Services } from '../services';
import { sourceUri } from '../shared/live-documents';
import { plural } from '../shared/words';
import * as vscode from '../vscode';
import { registerLook } from './look';
import { defaultUpdates, type RolloutChoice, stagesWithRollouts } from './rollouts';
import { ScoreViews, scoresScheme } from './view';

/** Tries a reward on recorded completions before anything is trained with it. */
export function registerScoring(services: Services): vscode.Disposable {
  const views = new ScoreViews(services);
  return vscode.Disposable.from(
    views,
    registerLook(views),
    command(services, 'distillery.scoreRollouts', async (argument?: unknown) => {
      const reward = await rewardFile(argument);
      if (reward) await views.open(reward);
    }),
    command(services, 'distillery.chooseRollouts', async (argument?: unknown) => {
      const reward = await rewardFile(argument);
      const choice = reward && (await chooseRollouts(services));
      if (choice) await views.open(reward, choice);
    }),
  );
}

/** The reward: as given, that of the active editor, else one that is picked. */
async function rewardFile(argument: unknown): Promise<vscode.Uri | undefined> {
  const file = argument instanceof vscode.Uri ? argument : fileInFront();
  if (file && configKind(file.fsPath) === 'reward') return file;
  const files = await vscode.workspace.findFiles('**/*.reward.json', '**/{node_modules,.git,.distillery}/**', 200);
  if (files.length === 0) {
    void vscode.window.showInformationMessage('There is no *.reward.json in this workspace yet.');
    return undefined;
  }
  const items = files.map((uri) => ({
    label: basename(uri.path),
    description: vscode.workspace.asRelativePath(uri),
    uri,
  }));
  if (items.length === 1) return items[0].uri;
  const picked = await vscode.window.showQuickPick(items, { placeHolder: 'Reward to try' });
  return picked?.uri;
}

/** Scores belong to one version of the reward. */
function fileInFront(): vscode.Uri | undefined {
  const front = vscode.window.activeTextEditor?.document.uri;
  return front?.scheme === scoresScheme ? sourceUri(front) : front;
}

interface StageItem extends vscode.QuickPickItem {
  choice?: Omit<RolloutChoice, 'updates'> & { recorded: number };
}

async function chooseRollouts({ runs }: Services): Promise<RolloutChoice | undefined> {
  const items = runs.list().flatMap((listing): StageItem[] => {
    if (!('run' in listing)) return [];
    const stages = stagesWithRollouts(listing.folder);
    if (stages.length === 0) return [];
    return [
      {
        label: `${listing.run.record.name}, ${reachedText(listing, runs.cache)}`,
        kind: vscode.QuickPickItemKind.Separator,
      },
      ...stages.map(({ stage, updates }) => ({
        label: stageTitles[stage],
        description: `${runTitle(listing, runs.cache)} · ${plural(updates, 'update')}`,
        choice: { run: listing.folder, stage, recorded: updates },
      })),
    ];
  });
  if (items.length === 0) {
    void vscode.window.showInformationMessage(
      'There are no rollouts in this workspace yet. Stage 2 of a run produces them.',
    );
    return undefined;
  }
  const placeHolder = 'Run and stage whose completions are scored';
  const stage = (await vscode.window.showQuickPick(items, { placeHolder, matchOnDescription: true }))?.choice;
  if (!stage) return undefined;
  const counts = [...new Set([1, defaultUpdates, 20, stage.recorded])].filter((n) => n <= stage.recorded);
  const updates = await vscode.window.showQuickPick(
    counts
      .sort((a, b) => a - b)
      .map((n) => ({
        label: n === 1 ? 'The newest update' : `The newest ${n} updates`,
        n,
      })),
    { placeHolder: 'How many updates' },
  );
  return updates && { run: stage.run, stage: stage.stage, updates: updates.n };
}
