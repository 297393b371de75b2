import { basename } from 'node:path';
import { command } from '../commands/report';
import type { Services } from '../services';
import { setContext } from '../shared/contexts';
import * as vscode from '../vscode';
import { runIdTitle } from './items';
import type { RunsNode } from './nodes';
import { RunsTree } from './view';

/** The Runs view with drag and drop: cases dropped on a run go to its Stage 3. */
export function registerRuns(services: Services): vscode.Disposable {
  const tree = new RunsTree(services);
  const view = vscode.window.createTreeView('distillery.runs', {
    treeDataProvider: tree,
    showCollapseAll: true,
    canSelectMany: true,
    dragAndDropController: dropController,
  });
  const look = () => {
    setContext('distillery.hasExperiments', services.runs.experiments().length > 0);
    setContext('distillery.hasRuns', services.runs.list().length > 0);
  };
  void services.runs.ready.then(() => {
    look();
    setContext('distillery.ready', true);
  });
  return vscode.Disposable.from(
    tree,
    view,
    services.runs.onDidChange(look),
    view.onDidChangeSelection(({ selection }) => {
      services.runs.selected = selection.flatMap((node) => ('run' in node ? [node.run] : []));
    }),
    command(services, 'distillery.refresh', () => services.runs.refresh()),
    command(services, 'distillery.showOlderRuns', (experiment: string) => tree.showAll(experiment)),
    command(services, 'distillery.revealInRuns', (run: string) =>
      view.reveal(tree.run(run), { select: true, focus: true, expand: true }),
    ),
  );
}

/** Data that the Failure Cases view drags: DraggedCases as JSON, because objects do not pass between views. */
export const casesMime = 'application/vnd.distillery.cases';

export interface DraggedCases {
  run: string;
  problemIds: string[];
}

const dropController: vscode.TreeDragAndDropController<RunsNode> = {
  dragMimeTypes: [],
  dropMimeTypes: [casesMime],
  async handleDrop(target, data) {
    const dropped = await droppedCases(data);
    if (!dropped) return;
    if (!target || !('run' in target) || target.run !== dropped.run) {
      const own = runIdTitle(basename(dropped.run));
      void vscode.window.showWarningMessage(`Drop these cases on their own run, ${own}.`);
      return;
    }
    await vscode.commands.executeCommand('distillery.addToStage3', dropped);
  },
};

/** The browser's own entry of this type comes first and is empty. */
async function droppedCases(data: vscode.DataTransfer): Promise<DraggedCases | undefined> {
  const texts = await Promise.all([...data].flatMap(([mime, item]) => (mime === casesMime ? [item.asString()] : [])));
  const text = texts.find((one) => one !== '');
  return text === undefined ? undefined : (JSON.parse(text) as DraggedCases);
}
