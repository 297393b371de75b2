import type { UserError } from '../../errors';
import { md } from '../markdown';
import type { Services } from '../services';
import * as vscode from '../vscode';
import { plural } from '../words';
import {
  type CaseGroup,
  caseText,
  type FailureCase,
  filterFailures,
  type Grouping,
  groupFailures,
  shareText,
} from './cases';
import { caseTooltip } from './tooltip';

export type FailuresNode = CaseGroup | FailureCase | { kind: 'problem'; id: string; run: string; problem: UserError };

const groupingKey = 'failures.grouping';

/** The failure cases of one run. */
export class FailuresTree implements vscode.TreeDataProvider<FailuresNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly listener: vscode.Disposable;
  private text = '';

  constructor(private readonly services: Services) {
    this.listener = services.cases.onDidChange(() => this.changed.fire());
  }

  get grouping(): Grouping {
    return this.services.context.workspaceState.get<Grouping>(groupingKey, 'category');
  }

  get filter(): string {
    return this.text;
  }

  async group(grouping: Grouping): Promise<void> {
    await this.services.context.workspaceState.update(groupingKey, grouping);
    this.changed.fire();
  }

  search(text: string): void {
    this.text = text;
    this.changed.fire();
  }

  /** How many cases the run has, and how many of them pass the filter. */
  counts(): { all: number; shown: number } {
    const { run } = this.services.cases;
    const all = run ? (this.services.runs.cache.failures(run).value ?? []) : [];
    return { all: all.length, shown: filterFailures(all, this.text).length };
  }

  getChildren(node?: FailuresNode): FailuresNode[] {
    if (node) return node.kind === 'group' ? node.cases : [];
    const { run } = this.services.cases;
    if (!run) return [];
    const { value, problem } = this.services.runs.cache.failures(run);
    if (problem) return [{ kind: 'problem', id: `problem ${run}`, run, problem }];
    return groupFailures(run, filterFailures(value, this.text), this.grouping);
  }

  getTreeItem(node: FailuresNode): vscode.TreeItem {
    if (node.kind === 'case') {
      const { value } = this.services.runs.cache.decisions(node.run);
      const approved = value?.rewrites.get(node.problemId)?.some(({ verdict }) => /^(accepted|edited)$/.test(verdict));
      return caseItem(node, value?.picked.has(node.problemId) ?? false, approved ?? false);
    }
    return node.kind === 'group' ? groupItem(node) : problemItem(node.problem);
  }

  resolveTreeItem(item: vscode.TreeItem, node: FailuresNode): vscode.TreeItem {
    if (node.kind === 'case') vscode.say(item, { tooltip: vscode.markdown(caseTooltip(node)) });
    return item;
  }

  dispose(): void {
    this.listener.dispose();
    this.changed.dispose();
  }
}

function groupItem({ id, label, cases }: CaseGroup): vscode.TreeItem {
  const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Collapsed);
  item.id = id;
  item.contextValue = 'caseGroup';
  vscode.say(item, {
    description: String(cases.length),
    accessibilityInformation: { label: `${label}, ${plural(cases.length, 'case')}` },
  });
  return item;
}

/** `picked`: for the next Stage 3. `approved`: one of its rewrites, which the next Stage 3 teaches. */
function caseItem(node: FailureCase, picked: boolean, approved: boolean): vscode.TreeItem {
  const item = new vscode.TreeItem(node.problemId);
  item.id = node.id;
  const marks = [...(picked ? ['picked'] : []), ...(approved ? ['rewrite approved'] : [])];
  item.iconPath = picked
    ? new vscode.ThemeIcon('pinned')
    : new vscode.ThemeIcon('circle-slash', new vscode.ThemeColor('list.errorForeground'));
  item.contextValue = picked ? 'case.picked' : 'case';
  const { run, problemId, sample } = node;
  item.command = {
    command: 'distillery.openCase',
    title: 'Open Case',
    arguments: [{ run, problemId, sample }],
  };
  const spoken = [
    problemId,
    picked ? 'picked for Stage 3' : '',
    approved ? 'rewrite approved' : '',
    node.record.category,
    caseText(node),
    shareText(node.record),
  ];
  vscode.say(item, {
    description: [...marks, caseText(node)].join(' · '),
    accessibilityInformation: { label: spoken.filter(Boolean).join(', ') },
  });
  return item;
}

function problemItem(problem: UserError): vscode.TreeItem {
  const item = new vscode.TreeItem(problem.message);
  vscode.say(item, { description: problem.remedy, tooltip: vscode.markdown(md`${problem.toString()}`) });
  item.iconPath = new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground'));
  if (problem.file) {
    const at = Math.max(0, (problem.line ?? 1) - 1);
    const options = { selection: new vscode.Range(at, 0, at, 0) };
    item.command = { command: 'vscode.open', title: 'Open', arguments: [vscode.Uri.file(problem.file), options] };
  }
  return item;
}
