import * as vscode from '../vscode';
import type { RunIndex } from '../workspace/run-index';
import {
  type CaseGroup,
  type CaseListing,
  type CaseOrder,
  caseOrders,
  type Grouping,
  groupings,
  listCases,
} from './cases';

const chosenKey = 'failures.run';
const groupingKey = 'failures.grouping';
const orderKey = 'failures.order';

/**
 * Selects the run whose failure cases the tree and the Problems panel show: the chosen one, else the one being read,
 * else the newest that has some.
 */
export class ShownCases implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  /** The run, its records, or the hint about a newer run have changed. */
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

  /** The newest run with cases, if an older one is shown only because it is being read. */
  get newer(): string | undefined {
    const { newest } = this;
    return this.chosen === undefined && newest !== this.run ? newest : undefined;
  }

  private filter = '';
  private listed: { key: unknown[]; groups: CaseGroup[] } | undefined;

  /** How the cases are listed. */
  get listing(): CaseListing {
    const grouping = this.state.get<Grouping>(groupingKey, 'category');
    const order = this.state.get<CaseOrder>(orderKey, 'run');
    return {
      grouping: groupings.includes(grouping) ? grouping : 'category',
      order: order in caseOrders ? order : 'run',
      filter: this.filter,
    };
  }

  async list({ grouping, order, filter }: Partial<CaseListing>): Promise<void> {
    if (grouping) await this.state.update(groupingKey, grouping);
    if (order) await this.state.update(orderKey, order);
    this.filter = filter ?? this.filter;
    this.changed.fire();
  }

  /** The cases in display order: as in the tree, and for next and previous. */
  get groups(): CaseGroup[] {
    const { run } = this;
    const failures = run === undefined ? undefined : this.runs.cache.failures(run).value;
    if (run === undefined || !failures) return [];
    const decisions = this.runs.cache.decisions(run);
    const { listing } = this;
    const key = [run, failures, decisions, ...Object.values(listing)];
    if (!this.listed || key.some((part, i) => part !== this.listed!.key[i]))
      this.listed = { key, groups: listCases(run, failures, decisions, listing) };
    return this.listed.groups;
  }

  /** Problems of a run in display order; undefined if another run is listed. */
  order(run: string): string[] | undefined {
    return run === this.run ? this.groups.flatMap(({ problemIds }) => problemIds) : undefined;
  }

  private readonly shownCase = new vscode.EventEmitter<{ run: string; problemId: string }>();
  /** A case was opened, in a document or in the chain diff. */
  readonly onDidShow = this.shownCase.event;

  show(run: string, problemId: string): void {
    this.shownCase.fire({ run, problemId });
  }

  async choose(run: string): Promise<void> {
    await this.state.update(chosenKey, run);
    this.changed.fire();
  }

  /** While a run is being read, a newer one does not replace it. */
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
    this.shownCase.dispose();
  }

  private get chosen(): string | undefined {
    const chosen = this.state.get<string>(chosenKey);
    return this.has(chosen) && this.runs.list().some(({ folder }) => folder === chosen) ? chosen : undefined;
  }

  /** Cached between two changes, as the search is slow among a thousand runs. */
  private get newest(): string | undefined {
    this.latest ??= { folder: this.runs.list().find(({ folder }) => this.has(folder))?.folder };
    return this.latest.folder;
  }
}
