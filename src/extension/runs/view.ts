import type { Services } from '../services';
import * as vscode from '../vscode';
import { itemOf, type RunsItem } from './items';
import {
  experimentNodes,
  listingName,
  parentOf,
  partNodes,
  type RunsNode,
  runNode,
  runNodes,
  stageNodes,
} from './nodes';
import { tooltipOf } from './tooltips';

/** Runs of an experiment that are shown at first. */
const page = 100;

/** The Runs tree. Each node object is created once, so that a single run can be redrawn. */
export class RunsTree implements vscode.TreeDataProvider<RunsNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<RunsNode[] | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly known = new Map<string, RunsNode>();
  private outline = '';
  private readonly listeners: vscode.Disposable[];

  constructor(private readonly services: Services) {
    this.listeners = [
      services.runs.onDidChange((runs) => this.update(runs)),
      services.hosts.onDidProgress((run) => this.update(new Set([run]))),
    ];
  }

  getChildren(node?: RunsNode): RunsNode[] {
    return this.childrenOf(node).map((child) => this.intern(child));
  }

  getParent(node: RunsNode): RunsNode | undefined {
    const parent = parentOf(this.services.runs, node);
    return parent && this.intern(parent);
  }

  getTreeItem(node: RunsNode): vscode.TreeItem {
    const { hosts, runs } = this.services;
    const item = itemOf(node, {
      cache: runs.cache,
      progress: (run) => hosts.progress(run),
      newest: node.id === this.newest.experiment || node.id === this.newest.run,
      now: Date.now(),
      trusted: vscode.workspace.isTrusted,
    });
    return treeItem(node, item);
  }

  resolveTreeItem(item: vscode.TreeItem, node: RunsNode): vscode.TreeItem {
    const progress = node.kind === 'run' ? this.services.hosts.progress(node.run) : undefined;
    const text = tooltipOf(node, this.services.runs.cache, progress);
    if (text) vscode.setTexts(item, { tooltip: vscode.markdown(text) });
    return item;
  }

  /** The node of a run, to reveal it. It stays visible from now on, however old. */
  run(folder: string): RunsNode {
    const node = this.intern(runNode(folder));
    const experiment = this.getParent(node);
    if (experiment && !this.getChildren(experiment).includes(node)) this.showAll(experiment.id);
    return node;
  }

  /** Shows all runs of an experiment, not only the newest. */
  showAll(experiment: string): void {
    this.limits.set(experiment, Number.POSITIVE_INFINITY);
    const node = this.known.get(experiment);
    if (node) this.changed.fire([node]);
  }

  private readonly limits = new Map<string, number>();

  dispose(): void {
    this.changed.dispose();
    for (const listener of this.listeners) listener.dispose();
  }

  private newest: { experiment?: string; run?: string } = {};

  private childrenOf(node?: RunsNode): RunsNode[] {
    const { runs } = this.services;
    switch (node?.kind) {
      case undefined: {
        const experiments = experimentNodes(runs);
        this.newest.experiment ??= experiments[0]?.id;
        this.outline = this.outlineNow();
        return experiments;
      }
      case 'experiment': {
        const children = runNodes(runs, node, this.limits.get(node.id) ?? page);
        if (node.id === this.newest.experiment)
          this.newest.run ??= children.find((child) => child.kind === 'run' && 'run' in runs.cache.find(child.run))?.id;
        return children;
      }
      case 'run':
        return stageNodes(runs, runs.cache.find(node.run));
      case 'stage':
        return partNodes(runs, runs.cache.find(node.run), node.stage);
      default:
        return [];
    }
  }

  private update(runs: ReadonlySet<string>): void {
    const outlined = runs.size > 0 && this.outlineNow() === this.outline;
    const nodes = outlined ? [...runs].flatMap((run) => this.known.get(`run ${run}`) ?? []) : undefined;
    if (nodes === undefined || nodes.length > 0) this.changed.fire(nodes);
  }

  /** The runs of each experiment. */
  private outlineNow(): string {
    return this.services.runs
      .list()
      .map((listing) => `${listing.folder}\0${listingName(listing)}`)
      .join('\n');
  }

  private intern(node: RunsNode): RunsNode {
    const before = this.known.get(node.id);
    if (!before) {
      this.known.set(node.id, node);
      return node;
    }
    return Object.assign(before, node);
  }
}

function treeItem(
  node: RunsNode,
  { label, description, icon, contextValue, children, spoken }: RunsItem,
): vscode.TreeItem {
  const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(label, { none: None, closed: Collapsed, open: Expanded }[children]);
  item.id = node.id;
  item.iconPath = new vscode.ThemeIcon(icon.id, icon.color ? new vscode.ThemeColor(icon.color) : undefined);
  item.contextValue = contextValue;
  vscode.setTexts(item, {
    description,
    accessibilityInformation: spoken === undefined ? undefined : { label: spoken },
  });
  item.command = commandOf(node);
  return item;
}

/** The click action, where there is something to open. */
function commandOf(node: RunsNode): vscode.TreeItem['command'] {
  if (node.kind === 'failures')
    return { command: 'distillery.showFailures', title: 'Show Failure Cases', arguments: [node] };
  if (node.kind === 'evaluation')
    return { command: 'distillery.openAnswers', title: 'Open Answers', arguments: [node] };
  if (node.kind === 'more') return { command: 'distillery.showOlderRuns', title: 'Show', arguments: [node.above] };
  if (node.kind === 'hint' && !vscode.workspace.isTrusted)
    return { command: 'workbench.trust.manage', title: 'Manage Workspace Trust' };
  if (node.kind === 'hint') return { command: 'distillery.runQuick', title: 'Run Quickly', arguments: [node] };
  return undefined;
}
