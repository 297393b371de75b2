import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isFolder } from '../../paths';
import { runsFolderName } from '../../runs/layout';
import type { RunListing } from '../../runs/reading';
import * as vscode from '../vscode';
import { Debouncer } from './debouncer';
import { type ExperimentFile, experimentSuffix, readExperiment } from './experiment-file';
import { isLive, RunCache } from './run-cache';
import { hasLeft, pathsOf, runOfFile } from './run-paths';

/** Minimum milliseconds between two change events. */
const delay = 250;
/** How long the list trusts the file watchers, in milliseconds; they may miss changes. */
const trusted = 2000;
/** Poll interval for runs with a live process: killing a process changes no file. */
const pollMs = 5000;

/** The experiments and runs of the workspace's folders, read again when their files change. */
export class RunIndex implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<ReadonlySet<string>>();
  /**
   * The list, or a run in it, has changed. The event has the folders of runs whose files changed; none if only the list
   * did. At most a few times a second.
   */
  readonly onDidChange = this.changed.event;

  /** Reads run folders; errors are returned as values. */
  readonly cache = new RunCache();

  private readonly batch = new Debouncer(delay, (runs) => this.changed.fire(runs));
  private readonly arrivals = new Debouncer(500, (paths) => {
    if ([...paths].some((path) => isFolder(path))) void this.search();
  });
  private readonly experimentFiles = new Set<string>();
  private readonly nested = new Set<string>();
  private readonly watchers: vscode.Disposable[] = [];
  private readonly timer = setInterval(() => this.poll(), pollMs);
  private live: ReadonlySet<string> = new Set();
  /** Resolves when the workspace has been searched for experiments. */
  ready: Promise<void>;

  constructor() {
    this.watchers.push(vscode.workspace.onDidChangeWorkspaceFolders(({ removed }) => this.leave(removed)));
    this.watch();
    this.ready = this.search();
  }

  /** The `.distillery/runs` folders to search: those of the workspace's folders, and those beside experiments. */
  folders(): string[] {
    const roots = pathsOf(vscode.workspace.workspaceFolders).map((root) => join(root, runsFolderName));
    const besides = [...this.experimentFiles].map((file) => join(dirname(file), runsFolderName));
    return [...new Set([...roots, ...besides, ...this.nested])];
  }

  /** Run folders that are selected in the Runs view. */
  selected: readonly string[] = [];

  /** The list, beginning with what is selected in the Runs view: a command is most likely about that. */
  selectedFirst(): RunListing[] {
    const rank = ({ folder }: RunListing) => Number(!this.selected.includes(folder));
    return this.list().toSorted((a, b) => rank(a) - rank(b));
  }

  /**
   * Newest first; an unreadable run has its error. Calls in quick succession reread only runs known to have changed:
   * scanning a thousand runs takes milliseconds, and every view asks after every training update.
   */
  list(): readonly RunListing[] {
    const { listed, stale } = this;
    if (listed && stale !== 'all' && performance.now() - listed.time < trusted) {
      for (const run of stale) {
        const at = listed.runs.findIndex(({ folder }) => folder === run);
        if (at < 0 || !existsSync(run)) return this.listAll();
        listed.runs[at] = this.cache.find(run);
      }
      stale.clear();
      return listed.runs;
    }
    return this.listAll();
  }

  private listed: { runs: RunListing[]; time: number } | undefined;
  private stale: Set<string> | 'all' = new Set();

  private listAll(): readonly RunListing[] {
    this.listed = { runs: this.cache.list(this.folders()), time: performance.now() };
    this.stale = new Set();
    return this.listed.runs;
  }

  /** Something changed; without runs, the list itself. */
  private change(...runs: string[]): void {
    if (runs.length === 0) this.stale = 'all';
    else if (this.stale !== 'all') for (const run of runs) this.stale.add(run);
    this.batch.add(...runs);
  }

  /** By file name. */
  experiments(): ExperimentFile[] {
    return [...this.experimentFiles]
      .filter((file) => existsSync(file))
      .sort()
      .map(readExperiment);
  }

  /** Rereads these runs only; without runs, searches for experiments too. */
  refresh(...runs: string[]): void {
    this.change(...runs);
    if (runs.length === 0) void this.search();
  }

  dispose(): void {
    clearInterval(this.timer);
    this.batch.dispose();
    this.arrivals.dispose();
    this.changed.dispose();
    for (const watcher of this.watchers) watcher.dispose();
  }

  private leave(removed: readonly vscode.WorkspaceFolder[]): void {
    const [removedPaths, roots] = [pathsOf(removed), pathsOf(vscode.workspace.workspaceFolders)];
    for (const runs of this.nested) if (hasLeft(runs, removedPaths, roots)) this.nested.delete(runs);
    void this.search();
  }

  private async search(): Promise<void> {
    const found = await vscode.workspace.findFiles(`**/*${experimentSuffix}`, '**/{node_modules,.git}/**', 1000);
    this.experimentFiles.clear();
    for (const uri of found) if (uri.scheme === 'file') this.experimentFiles.add(uri.fsPath);
    this.change();
  }

  private watch(): void {
    const experiments = vscode.workspace.createFileSystemWatcher(`**/*${experimentSuffix}`);
    experiments.onDidCreate(({ fsPath }) => {
      if (/[\\/]node_modules[\\/]/.test(fsPath)) return;
      this.experimentFiles.add(fsPath);
      this.change();
    });
    experiments.onDidChange(() => this.change());
    experiments.onDidDelete(({ fsPath }) => {
      this.experimentFiles.delete(fsPath);
      this.change();
    });
    // A folder that appears complete, by copy or checkout, may be the only event.
    const folders = vscode.workspace.createFileSystemWatcher('**', false, true, true);
    folders.onDidCreate(({ scheme, fsPath }) => {
      if (scheme === 'file' && !/[\\/](node_modules|\.git|\.distillery)([\\/]|$)/.test(fsPath))
        this.arrivals.add(fsPath);
    });
    // Folders are watched too: when one is deleted or moved, there are no events for its files.
    const touched = ({ fsPath }: vscode.Uri) => this.touched(fsPath);
    const runs = ['**/.distillery', '**/.distillery/**'].map((pattern) => {
      const watcher = vscode.workspace.createFileSystemWatcher(pattern);
      watcher.onDidCreate(touched);
      watcher.onDidChange(touched);
      watcher.onDidDelete(touched);
      return watcher;
    });
    this.watchers.push(experiments, folders, ...runs);
  }

  private touched(file: string): void {
    if (/\.(draft|safetensors)$/.test(file)) return;
    const place = runOfFile(file);
    if (!place) {
      if (basename(file) === '.distillery') this.change();
      return;
    }
    this.nested.add(place.runs);
    this.change(...(place.run ? [place.run] : []));
  }

  private poll(): void {
    const live = new Set(
      this.cache
        .unsettled()
        .filter(isLive)
        .map(({ folder }) => folder),
    );
    const differing = [...live, ...this.live].filter((run) => live.has(run) !== this.live.has(run));
    this.live = live;
    if (differing.length > 0) this.change(...differing);
  }
}
