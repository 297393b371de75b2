import type { UserError } from '../../errors';
import type { Decisions } from '../../runs/decisions';
import type { Services } from '../services';
import { clipLine, plural } from '../shared/words';
import * as vscode from '../vscode';
import { md } from '../vscode/markdown';
import { type CaseGroup, caseText, type FailureCase, isAccepted, shareText } from './cases';
import { caseTooltip } from './tooltip';

export type FailuresNode = CaseGroup | FailureCase | { kind: 'problem'; id: string; run: string; problem: UserError };

/** The failure cases of one run. */
export class FailuresTree implements vscode.TreeDataProvider<FailuresNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly listener: vscode.Disposable;

  constructor(private readonly services: Services) {
    this.listener = services.cases.onDidChange(() => this.changed.fire());
  }

  getChildren(node?: FailuresNode): FailuresNode[] {
    if (node) return node.kind === 'group' ? node.cases : [];
    const { run, groups } = this.services.cases;
    if (!run) return [];
    const { cache } = this.services.runs;
    const { damage = cache.damagedDecision(run), problem = damage } = cache.failures(run);
    return problem ? [{ kind: 'problem', id: `problem ${run}`, run, problem }, ...groups] : groups;
  }

  getParent(node: FailuresNode): FailuresNode | undefined {
    return node.kind === 'case' ? this.services.cases.groups.find(({ cases }) => cases.includes(node)) : undefined;
  }

  /** The node of a case, to reveal the case being read. */
  caseOf(run: string, problemId: string): FailureCase | undefined {
    if (run !== this.services.cases.run) return undefined;
    return this.services.cases.groups.flatMap(({ cases }) => cases).find((one) => one.problemId === problemId);
  }

  getTreeItem(node: FailuresNode): vscode.TreeItem {
    if (node.kind === 'case') return caseItem(node, this.decisions(node.run));
    return node.kind === 'group' ? groupItem(node) : problemItem(node.problem);
  }

  resolveTreeItem(item: vscode.TreeItem, node: FailuresNode): vscode.TreeItem {
    if (node.kind === 'case')
      vscode.setTexts(item, { tooltip: vscode.markdown(caseTooltip(node, this.decisions(node.run))) });
    return item;
  }

  dispose(): void {
    this.listener.dispose();
    this.changed.dispose();
  }

  private decisions(run: string): Decisions {
    return this.services.runs.cache.decisions(run);
  }
}

function groupItem({ id, label, cases }: CaseGroup): vscode.TreeItem {
  const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Collapsed);
  item.id = id;
  item.contextValue = 'caseGroup';
  vscode.setTexts(item, {
    description: String(cases.length),
    accessibilityInformation: { label: `${label}, ${plural(cases.length, 'case')}` },
  });
  return item;
}

/** A person's marks on a case, most important first. */
function marksOf(problemId: string, decisions: Decisions): string[] {
  return [
    decisions.picked.has(problemId) ? 'added to Stage 3' : '',
    isAccepted(problemId, decisions) ? 'rewrite accepted' : '',
    decisions.notes.has(problemId) ? 'noted' : '',
    decisions.read.has(problemId) ? 'read' : '',
  ].filter(Boolean);
}

function iconOf(problemId: string, { picked, read }: Decisions): vscode.ThemeIcon {
  if (picked.has(problemId)) return new vscode.ThemeIcon('pinned');
  if (read.has(problemId)) return new vscode.ThemeIcon('check');
  return new vscode.ThemeIcon('circle-slash', new vscode.ThemeColor('list.errorForeground'));
}

/** The question comes first, as it identifies the case. */
function caseItem(node: FailureCase, decisions: Decisions): vscode.TreeItem {
  const { run, problemId, sample, record } = node;
  const question = clipLine(record.question, 60);
  const item = new vscode.TreeItem(question);
  item.id = node.id;
  item.iconPath = iconOf(problemId, decisions);
  item.contextValue = decisions.picked.has(problemId) ? 'case.picked' : 'case';
  // Focus stays in the list, so that it can be walked with the keyboard.
  item.command = {
    command: 'distillery.openCase',
    title: 'Open Case',
    arguments: [{ run, problemId, sample }, { preserveFocus: true }],
  };
  const marks = marksOf(problemId, decisions);
  const spoken = [question, problemId, ...marks, record.category, caseText(node), shareText(record)];
  vscode.setTexts(item, {
    description: [problemId, ...marks, caseText(node)].join(' · '),
    accessibilityInformation: { label: spoken.filter(Boolean).join(', ') },
  });
  return item;
}

function problemItem(problem: UserError): vscode.TreeItem {
  const item = new vscode.TreeItem(problem.message);
  vscode.setTexts(item, { description: problem.remedy, tooltip: vscode.markdown(md`${problem.toString()}`) });
  item.iconPath = new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground'));
  if (problem.file) {
    const at = Math.max(0, (problem.line ?? 1) - 1);
    const options = { selection: new vscode.Range(at, 0, at, 0) };
    item.command = { command: 'vscode.open', title: 'Open', arguments: [vscode.Uri.file(problem.file), options] };
  }
  return item;
}
