import type { RunIndex } from './run-index';
import * as vscode from './vscode';

const chosenKey = 'failures.run';

/** Which run's failure cases are shown, in their tree and in the Problems panel: the chosen one, else the one that is being read, else the newest that has some. */
export class ShownCases implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  /** Another run, other records of the same, or a newer one beside it. */
  readonly onDidChange = this.changed.event;
  private readonly listener: vscode.Disposable;
  private held: string | undefined;
  private latest: { folder: string | undefined } | undefined;

  constructor(
    private readonly state: vscode.Memento,
    private readonly runs: RunIndex,
  ) {
    let known: string | undefined;
    this.listener = runs.onDidChange((changed) => {
      this.latest = undefined;
      const { run, newer } = this;
      if (changed.size === 0 || run === undefined || changed.has(run) || newer !== known) this.changed.fire();
      known = newer;
    });
  }

  /** Folder of the run. */
  get run(): string | undefined {
    return this.chosen ?? (this.has(this.held) ? this.held : this.newest);
  }

  /** The newest run that has cases, while an older one is shown only because it is being read. */
  get newer(): string | undefined {
    const { newest } = this;
    return this.chosen === undefined && newest !== this.run ? newest : undefined;
  }

  async choose(run: string): Promise<void> {
    await this.state.update(chosenKey, run);
    this.changed.fire();
  }

  /** While a run is being read, a newer one does not take its place. */
  hold(run: string | undefined): void {
    const before = this.run;
    this.held = run;
    if (this.run !== before) this.changed.fire();
  }

  has(run: string | undefined): run is string {
    return run !== undefined && this.runs.cache.failureCount(run) > 0;
  }

  dispose(): void {
    this.listener.dispose();
    this.changed.dispose();
  }

  private get chosen(): string | undefined {
    const chosen = this.state.get<string>(chosenKey);
    return this.has(chosen) && this.runs.list().some(({ folder }) => folder === chosen) ? chosen : undefined;
  }

  /** Looked for once between two changes: among a thousand runs that is work. */
  private get newest(): string | undefined {
    this.latest ??= { folder: this.runs.list().find(({ folder }) => this.has(folder))?.folder };
    return this.latest.folder;
  }
}
