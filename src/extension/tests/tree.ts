import { basename, dirname } from 'node:path';
import type { Problem } from '../../data/types';
import { UserError } from '../../errors';
import { currentText } from '../config/texts';
import type { Services } from '../services';
import { clipLine, plural } from '../shared/words';
import * as vscode from '../vscode';
import { attempt, type Read, stampOf } from '../workspace/file-cache';
import { sameFile } from '../workspace/run-paths';
import { generatedUri } from './generated';
import { type Loaded, loadSuite, type Suite, suiteOfFile, suitesOfExperiment } from './suites';

/** Problems below one node; a larger suite is divided into pages. */
const pageSize = 100;
/** At most this many files of chains are searched for. */
const mostFiles = 500;

/** What a node of the Testing view represents. */
export type TestNode =
  | { kind: 'experiment'; file: string }
  | { kind: 'suite'; suite: Suite }
  | { kind: 'page'; suite: Suite; from: number }
  | { kind: 'problem'; suite: Suite; problem: Problem };

/**
 * The Testing view's tree: experiments, their datasets, pages of large datasets, problems. Each level is read when it
 * is expanded.
 */
export class TestTree implements vscode.Disposable {
  private readonly nodes = new WeakMap<vscode.TestItem, TestNode>();
  private readonly loaded = new WeakMap<Suite, { stamp: string; read: Read<Loaded> }>();
  private readonly parts: vscode.Disposable[];
  private found = false;

  constructor(
    private readonly controller: vscode.TestController,
    private readonly services: Services,
  ) {
    const files = vscode.workspace.createFileSystemWatcher('**/*.chains.jsonl');
    const again = () => void (this.found && this.discover());
    this.parts = [
      files,
      files.onDidCreate(again),
      files.onDidDelete(again),
      files.onDidChange(() => this.renew()),
      vscode.workspace.onDidSaveTextDocument(({ uri }) =>
        uri.fsPath.endsWith('.distillery.json') ? again() : this.renew(),
      ),
      services.runs.onDidChange((runs) => runs.size === 0 && again()),
      vscode.workspace.onDidOpenTextDocument((document) => this.opened(document)),
    ];
    controller.onWanted(
      (item) => (item ? this.resolve(item) : this.discover()),
      () => this.discover(),
    );
  }

  dispose(): void {
    for (const part of this.parts) part.dispose();
  }

  nodeOf(item: vscode.TestItem): TestNode | undefined {
    return this.nodes.get(item);
  }

  /** Searches for experiments and files of chains. Items that still exist keep their results. */
  async discover(): Promise<void> {
    this.found = true;
    this.renew();
    await this.services.runs.ready;
    const experiments = this.services.runs.experiments().map(({ file, name }) => this.experiment(file, name));
    const named = new Set(
      experiments.flatMap((item) => children(item).map((child) => this.suiteOf(child)?.file)).filter(Boolean),
    );
    const found = await vscode.workspace.findFiles(
      '**/*.chains.jsonl',
      '**/{node_modules,.git,.distillery}/**',
      mostFiles,
    );
    const alone = found.map(({ fsPath }) => fsPath).filter((file) => !named.has(file));
    this.controller.items.replace([...experiments, ...alone.sort().map((file) => this.file(file))]);
  }

  /** Creates the children of an item, if it has none yet. */
  resolve(item: vscode.TestItem): void {
    const node = this.nodes.get(item);
    if (!node || node.kind === 'experiment' || node.kind === 'problem' || item.children.size > 0) return;
    try {
      const { problems } = this.load(node.suite);
      vscode.setTexts(item, { error: undefined });
      if (node.kind === 'suite') vscode.setTexts(item, { description: plural(problems.length, 'problem') });
      const { suite } = node;
      if (node.kind === 'page') item.children.replace(this.problemItems(item, suite, node.from));
      else if (problems.length <= pageSize) item.children.replace(this.problemItems(item, suite, 0));
      else item.children.replace(this.pages(item, suite, problems.length));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      vscode.setTexts(item, { error: error.toString() });
    }
  }

  /** The items of the first `most` problems at or below an item; missing ones are created. */
  problemsAt(item: vscode.TestItem, most: number): vscode.TestItem[] {
    const node = this.nodes.get(item);
    if (node?.kind === 'problem') return [item];
    this.resolve(item);
    const found: vscode.TestItem[] = [];
    for (const child of children(item)) {
      if (found.length >= most) break;
      found.push(...this.problemsAt(child, most - found.length));
    }
    return found;
  }

  size(suite: Suite): number {
    return this.load(suite).problems.length;
  }

  private add(item: vscode.TestItem, node: TestNode): vscode.TestItem {
    this.nodes.set(item, node);
    return item;
  }

  private suiteOf(item: vscode.TestItem): Suite | undefined {
    const node = this.nodes.get(item);
    return node && node.kind !== 'experiment' ? node.suite : undefined;
  }

  private experiment(file: string, name: string): vscode.TestItem {
    const text = currentText(file) ?? '';
    const before = this.controller.items.get(file);
    if (before && this.texts.get(before) === text) return before;
    const item = this.add(this.controller.createTestItem(file, name, vscode.Uri.file(file)), {
      kind: 'experiment',
      file,
    });
    this.texts.set(item, text);
    item.range = new vscode.Range(0, 0, 0, 0);
    try {
      const titles = { test: 'Test problems', validation: 'Validation rows', train: 'Training rows', file: '' };
      item.children.replace(
        suitesOfExperiment(file, text).map((suite, i) =>
          this.suite(`${file}#${suite.name}`, titles[suite.name], suite, i),
        ),
      );
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      vscode.setTexts(item, { error: error.toString() });
    }
    return item;
  }

  private readonly texts = new WeakMap<vscode.TestItem, string>();

  private file(file: string): vscode.TestItem {
    const before = this.controller.items.get(file);
    if (before && this.nodes.get(before)?.kind === 'suite') return before;
    const uri = vscode.Uri.file(file);
    try {
      const item = this.suite(file, basename(file), suiteOfFile(file), 0);
      vscode.setTexts(item, { description: vscode.workspace.asRelativePath(dirname(file)) });
      return item;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const item = this.controller.createTestItem(file, basename(file), uri);
      vscode.setTexts(item, { error: error.toString() });
      return item;
    }
  }

  private suite(id: string, label: string, suite: Suite, order: number): vscode.TestItem {
    const uri = suite.file === undefined ? undefined : vscode.Uri.file(suite.file);
    const item = this.add(this.controller.createTestItem(id, label, uri), { kind: 'suite', suite });
    item.canResolveChildren = true;
    item.sortText = String(order);
    const { source } = suite;
    vscode.setTexts(item, { description: 'path' in source ? basename(source.path) : 'generated' });
    return item;
  }

  private pages(parent: vscode.TestItem, suite: Suite, count: number): vscode.TestItem[] {
    return Array.from({ length: Math.ceil(count / pageSize) }, (_, i) => {
      const [from, to] = [i * pageSize, Math.min(count, (i + 1) * pageSize)];
      const label = `Problems ${from + 1} to ${to}`;
      const item = this.controller.createTestItem(`${parent.id}#${from}`, label, parent.uri);
      item.canResolveChildren = true;
      item.sortText = order(from);
      return this.add(item, { kind: 'page', suite, from });
    });
  }

  private problemItems(parent: vscode.TestItem, suite: Suite, from: number): vscode.TestItem[] {
    const { problems, lines } = this.load(suite);
    const uri = suite.file === undefined ? generatedUri(suite.source, suite.split) : vscode.Uri.file(suite.file);
    return problems.slice(from, from + pageSize).map((problem, i) => {
      const item = this.controller.createTestItem(`${parent.id}#${problem.id}`, problem.id, uri);
      const line = lines[from + i] ?? 0;
      item.range = new vscode.Range(line, 0, line, 0);
      item.sortText = order(from + i);
      vscode.setTexts(item, { description: clipLine(problem.question, 80) });
      return this.add(item, { kind: 'problem', suite, problem });
    });
  }

  private load(suite: Suite): Loaded {
    const known = this.loaded.get(suite) ?? {
      stamp: this.stampOf(suite),
      read: attempt(suite.file ?? '', () => loadSuite(suite, currentText)),
    };
    this.loaded.set(suite, known);
    if (known.read.problem) throw known.read.problem;
    return known.read.value;
  }

  private stampOf({ file }: Suite): string {
    return file === undefined ? '' : stampOf(file);
  }

  /** When a dataset is opened in an editor, its lines get run buttons. */
  private opened({ uri }: vscode.TextDocument): void {
    if (uri.scheme !== 'file' || !/\.jsonl?$/.test(uri.fsPath)) return;
    for (const root of children(this.controller))
      for (const item of [root, ...children(root)])
        if (sameFile(this.suiteOf(item)?.file ?? '', uri.fsPath))
          for (const child of [item, ...children(item)]) this.resolve(child);
  }

  /** A dataset that has changed is read again when it is next expanded. */
  renew(): void {
    for (const root of children(this.controller))
      for (const item of [root, ...children(root)]) {
        const suite = this.suiteOf(item);
        const known = suite && this.loaded.get(suite);
        if (!known || known.stamp === this.stampOf(suite)) continue;
        this.loaded.delete(suite);
        item.children.replace([]);
        item.canResolveChildren = true;
      }
  }
}

const order = (index: number) => String(index).padStart(7, '0');

export function children(parent: {
  children?: vscode.TestItemCollection;
  items?: vscode.TestItemCollection;
}): vscode.TestItem[] {
  const found: vscode.TestItem[] = [];
  (parent.children ?? parent.items)?.forEach((item) => {
    found.push(item);
  });
  return found.sort((a, b) => ((a.sortText ?? a.label) < (b.sortText ?? b.label) ? -1 : 1));
}
