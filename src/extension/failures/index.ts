import { named } from '../commands/arguments';
import { pickRun } from '../commands/pick';
import { command } from '../commands/report';
import { casesMime, type DraggedCases } from '../runs';
import { runName } from '../runs/items';
import type { Services } from '../services';
import { setContext } from '../shared/contexts';
import { plural } from '../shared/words';
import * as vscode from '../vscode';
import { type CaseOrder, caseOrders, filterWords } from './cases';
import { type FailuresNode, FailuresTree } from './view';

/** The Failure Cases view and its commands. */
export function registerFailures(services: Services): vscode.Disposable {
  const tree = new FailuresTree(services);
  const view = vscode.window.createTreeView('distillery.failures', {
    treeDataProvider: tree,
    showCollapseAll: true,
    canSelectMany: true,
    dragAndDropController: dragController,
  });
  const look = viewUpdates(services, view);
  void services.runs.ready.then(look);
  return vscode.Disposable.from(
    tree,
    view,
    tree.onDidChangeTreeData(look),
    view.onDidChangeVisibility(look),
    services.cases.onDidShow(({ run, problemId }) => {
      const node = view.visible ? tree.caseOf(run, problemId) : undefined;
      if (node && view.selection[0] !== node) void view.reveal(node, { select: true, focus: false });
    }),
    ...commands(services),
  );
}

/** Updates the view's texts, badge and menu contexts for its run. */
function viewUpdates({ cases, runs }: Services, view: vscode.TreeView<FailuresNode>): () => void {
  /** Number of cases when the view was last visible, by run. The badge counts those added since. */
  const seen = new Map<string, number>();
  const subjectOf = (run: string) => runName(runs.cache.find(run), runs.cache);
  return () => {
    const { run, newer, listing, groups } = cases;
    cases.hold(view.visible ? run : undefined);
    const all = run ? (runs.cache.failures(run).value ?? []).length : 0;
    const shown = groups.reduce((sum, { cases }) => sum + cases.length, 0);
    const messages = [
      listing.filter && `"${listing.filter}": ${shown} of ${plural(all, 'case')}`,
      newer && `A newer run has cases too: ${subjectOf(newer)}. Choose it with Show Failure Cases.`,
    ];
    vscode.setTexts(view, {
      description: run && `${subjectOf(run)} · ${plural(all, 'case')}`,
      message: messages.filter(Boolean).join(' ') || undefined,
    });
    setContext('distillery.hasFailures', run !== undefined);
    setContext('distillery.failuresFiltered', listing.filter !== '');
    setContext('distillery.failuresGrouping', listing.grouping);
    if (!run) return;
    if (view.visible || !seen.has(run)) seen.set(run, all);
    const fresh = all - seen.get(run)!;
    const tooltip = `${plural(fresh, 'new case')} since you last opened the view`;
    vscode.setTexts(view, { badge: fresh > 0 ? { value: fresh, tooltip } : undefined });
  };
}

const commands = (services: Services) => [
  command(services, 'distillery.showFailures', async (argument: unknown) => {
    const { cases } = services;
    const none = { message: 'no run has failure cases', remedy: 'Stage 3 finds them, or import recorded ones.' };
    const run = await pickRun(services, named(argument), {
      title: 'Show Failure Cases',
      fits: (_, one) => cases.has(one.folder),
      none,
    });
    if (!run) return;
    await cases.choose(run);
    await vscode.commands.executeCommand('distillery.failures.focus');
  }),
  command(services, 'distillery.filterFailures', async (argument: unknown) => {
    const text =
      typeof argument === 'string'
        ? argument
        : await vscode.window.showInputBox({
            title: 'Filter Failure Cases',
            prompt: 'Words in questions, answers, categories and first wrong steps',
            placeHolder: filterWords.join('  '),
            value: services.cases.listing.filter,
          });
    if (text !== undefined) await services.cases.list({ filter: text.trim() });
  }),
  command(services, 'distillery.clearFailuresFilter', () => services.cases.list({ filter: '' })),
  command(services, 'distillery.groupFailuresByCategory', () => services.cases.list({ grouping: 'category' })),
  command(services, 'distillery.groupFailuresByStep', () => services.cases.list({ grouping: 'step' })),
  command(services, 'distillery.sortFailures', async () => {
    const items = Object.entries(caseOrders).map(([order, label]) => ({
      label,
      order: order as CaseOrder,
      description: order === services.cases.listing.order ? 'now' : undefined,
    }));
    const chosen = await vscode.window.showQuickPick(items, { title: 'Sort Failure Cases' });
    if (chosen) await services.cases.list({ order: chosen.order });
  }),
];

const dragController: vscode.TreeDragAndDropController<FailuresNode> = {
  dragMimeTypes: [casesMime],
  dropMimeTypes: [],
  handleDrag(nodes, data) {
    const cases = nodes.flatMap((node) => {
      if (node.kind === 'group') return node.cases;
      return node.kind === 'case' ? [node] : [];
    });
    if (cases.length === 0) return;
    const problemIds = [...new Set(cases.map(({ problemId }) => problemId))];
    const dragged: DraggedCases = { run: cases[0].run, problemIds };
    data.set(casesMime, new vscode.DataTransferItem(JSON.stringify(dragged)));
  },
};
