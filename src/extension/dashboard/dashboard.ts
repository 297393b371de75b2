import { basename, extname, join } from 'node:path';
import { UserError } from '../../errors';
import { sizeOf } from '../../paths';
import type { RunHead, ToDashboard } from '../../protocol/dashboard';
import type { DashboardSubject, FromDashboard } from '../../protocol/dashboard-requests';
import { differingSettings } from '../../runs/differences';
import { rolloutsFile } from '../../runs/layout';
import { writeOutput } from '../../writing';
import { report } from '../commands/report';
import { runTitle } from '../runs/items';
import { listingName } from '../runs/nodes';
import type { Services } from '../services';
import type { PageDriver, WebviewTab } from '../shared/webview-page';
import * as vscode from '../vscode';
import type { RunCache } from '../workspace/run-cache';
import { requireTrust } from '../workspace/trust';
import { updatesCsv } from './csv';
import { pairsOf } from './pairs';
import { rolloutsMessage } from './rollouts';
import { RunSource } from './source';

/** Rows per message. */
const rowsAMessage = 8192;
/** How often files of a run are polled, in milliseconds: while it runs, and otherwise. */
const livePollMs = 500;
const idlePollMs = 3000;
/** Rollout files larger than this are read with a progress bar. */
const largeFile = 32 << 20;

/** Drives one dashboard: follows its runs while it is visible, and sends new data. */
export class Dashboard implements PageDriver<DashboardSubject, FromDashboard> {
  private sources: RunSource[] = [];
  /** What the page has: the number of rows of each run, and the last heads, settings and pairs sent. */
  private sent = new Map<RunSource, { columns: object; rows: number }>();
  private last = { heads: '', settings: '', pairs: '' };
  private rolloutsAsked: object | undefined;
  /** Whether the page has loaded and receives messages. */
  private listening = false;
  private polling = false;
  private again = false;
  private disposed = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners: vscode.Disposable[];

  constructor(
    private readonly services: Services,
    private readonly page: WebviewTab<DashboardSubject, ToDashboard>,
    private readonly chooseRuns: (runs: readonly string[]) => Promise<string[] | undefined>,
  ) {
    this.listeners = [services.runs.onDidChange(() => this.poll()), page.panel.onDidChangeViewState(() => this.poll())];
    this.follow(page.subject.runs);
    this.poll(); // long files are read while the page loads
  }

  ready(): void {
    this.listening = true;
    this.sent.clear();
    this.last = { heads: '', settings: '', pairs: '' };
    this.sendHeads(this.sources); // shows something before long files are read
    this.poll();
  }

  show({ runs }: DashboardSubject): void {
    this.follow(runs);
    this.ready();
  }

  receive(message: FromDashboard): void {
    if ('run' in message && !this.page.subject.runs.includes(message.run)) return;
    const answer = this.answer(message);
    answer?.catch((error: unknown) => report(error, this.services.log));
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.timer);
    for (const listener of this.listeners) listener.dispose();
  }

  private async answer(message: FromDashboard): Promise<void> {
    switch (message.type) {
      case 'ready':
        return this.ready();
      case 'rollouts':
        return this.showRollouts(message);
      case 'openRollouts': {
        const file = vscode.Uri.file(rolloutsFile(message.run, message.stage, message.step));
        await vscode.window.showTextDocument(file, { viewColumn: vscode.ViewColumn.Beside });
        return;
      }
      case 'compareChains': {
        const { type: _, ...place } = message;
        await vscode.commands.executeCommand('distillery.compareChains', place);
        return;
      }
      case 'chooseRuns': {
        const runs = await this.chooseRuns(this.page.subject.runs);
        if (runs) this.turnTo(runs);
        return;
      }
      case 'control':
        await vscode.commands.executeCommand(`distillery.${message.verb}`, { run: message.run });
        return;
      case 'copyUpdates':
        return this.copy(this.csv(message), 'The updates, as CSV,');
      case 'exportCharts':
        return this.exportCharts(message);
      case 'copy':
        return this.copy(message.text, message.what);
    }
  }

  /** Shows a progress bar for large files. Only the last request is answered. */
  private async showRollouts(asked: Extract<FromDashboard, { type: 'rollouts' }>): Promise<void> {
    this.rolloutsAsked = asked;
    const file = rolloutsFile(asked.run, asked.stage, asked.step);
    const size = sizeOf(file);
    const read = (onProgress?: (bytes: number) => void) => rolloutsMessage(asked, onProgress);
    const location = vscode.ProgressLocation.Notification;
    const title = 'Reading the rollouts';
    const slowly = () =>
      vscode.window.withProgress({ location, title }, (progress) =>
        read((bytes) => progress.report({ message: `${(bytes / 1e6).toFixed(0)} of ${(size / 1e6).toFixed(0)} MB` })),
      );
    const message = await (size > largeFile ? slowly() : read());
    if (this.rolloutsAsked === asked) this.page.post(message);
  }

  private csv({
    metrics,
    stages,
  }: Pick<Extract<FromDashboard, { type: 'copyUpdates' }>, 'metrics' | 'stages'>): string {
    const runs = this.sources.map((source) => ({ id: source.head().id, columns: source.columns }));
    return updatesCsv(runs, metrics, stages);
  }

  /** The format follows the extension of the chosen name. */
  private async exportCharts(message: Extract<FromDashboard, { type: 'exportCharts' }>): Promise<void> {
    requireTrust();
    const [run] = this.page.subject.runs;
    const file = await vscode.window.showSaveDialog({
      title: 'Export Charts',
      saveLabel: 'Export',
      defaultUri: vscode.Uri.file(
        join(vscode.workspace.workspaceFolders?.[0].uri.fsPath ?? run, `${basename(run)}.svg`),
      ),
      filters: { SVG: ['svg'], PNG: ['png'], CSV: ['csv'] },
    });
    if (!file) return;
    const contents: Record<string, () => string | Uint8Array> = {
      '.svg': () => message.svg,
      '.png': () => Buffer.from(message.png, 'base64'),
      '.csv': () => this.csv(message),
    };
    const content = contents[extname(file).toLowerCase()];
    if (!content)
      throw new UserError('charts can be exported as SVG, PNG or CSV', {
        file,
        remedy: 'Give it a name that ends in .svg, .png or .csv.',
      });
    writeOutput(file, content());
    vscode.window.setStatusBarMessage(`The charts were saved to ${file}.`, 5000);
  }

  private async copy(text: string, what: string): Promise<void> {
    await vscode.env.clipboard.writeText(text);
    vscode.window.setStatusBarMessage(`${what} copied.`, 3000);
  }

  /** The same page with other runs. */
  private turnTo(runs: string[]): void {
    this.page.subject = { runs };
    vscode.setTexts(this.page.panel, { title: dashboardTitle({ runs }, this.services.runs.cache) });
    this.follow(runs);
    this.ready();
  }

  private follow(runs: readonly string[]): void {
    const known = new Map(this.sources.map((source) => [source.folder, source]));
    this.sources = runs.map((run) => known.get(run) ?? new RunSource(run));
  }

  /** Reads and sends new data; one call at a time, and none while the page is hidden. */
  private poll(): void {
    clearTimeout(this.timer);
    if (this.disposed || !this.page.panel.visible) return;
    this.again = this.polling;
    if (this.polling) return;
    this.polling = true;
    this.readAndSend()
      .catch((error: unknown) => this.services.log.error(`dashboard: ${(error as Error).stack ?? error}`))
      .then((live) => {
        this.polling = false;
        if (this.again) this.poll();
        else if (!this.disposed) this.timer = setTimeout(() => this.poll(), live ? livePollMs : idlePollMs);
      });
  }

  private async readAndSend(): Promise<boolean> {
    const { sources } = this;
    await Promise.all(
      sources.map(async (source) => {
        for (let more = true; more && sources === this.sources && !this.disposed; ) {
          more = await source.read();
          this.sendRows(source, more);
        }
      }),
    );
    if (sources !== this.sources || this.disposed) return true;
    const heads = this.sendHeads(sources);
    const settings = differingSettings(sources.map((source) => source.settings()));
    this.sendIfNew('settings', { type: 'settings', differences: sources.length > 1 ? settings : [] });
    await this.sendPairs(heads);
    return heads.some(({ state }) => state === 'running' || state === 'created');
  }

  private sendHeads(sources: readonly RunSource[]): RunHead[] {
    const runs = sources.map((source) => source.head());
    this.sendIfNew('heads', { type: 'runs', runs });
    return runs;
  }

  private sendIfNew(what: 'heads' | 'settings', message: ToDashboard): void {
    const text = JSON.stringify(message);
    if (!this.listening || text === this.last[what]) return;
    this.last[what] = text;
    this.page.post(message);
  }

  /** `more`: the file has more rows. */
  private sendRows(source: RunSource, more: boolean): void {
    if (!this.listening) return;
    const { columns } = source;
    const before = this.sent.get(source);
    let from = before?.columns === columns ? before.rows : 0;
    if (before?.columns === columns && from === columns.rows) return;
    do {
      const to = Math.min(columns.rows, from + rowsAMessage);
      const message = columns.message(source.folder, from, to);
      this.page.post(more || to < columns.rows ? { ...message, more: true } : message);
      from = to;
    } while (from < columns.rows);
    this.sent.set(source, { columns, rows: from });
  }

  private async sendPairs(heads: readonly RunHead[]): Promise<void> {
    const subject = JSON.stringify(heads.map(({ folder, results }) => [folder, results]));
    if (!this.listening || subject === this.last.pairs) return;
    this.last.pairs = subject;
    const stale = () => this.disposed || this.last.pairs !== subject;
    const pairs = await pairsOf(heads, stale);
    if (!stale()) this.page.post({ type: 'pairs', pairs });
  }
}

export function dashboardTitle({ runs }: DashboardSubject, cache: RunCache): string {
  const names = runs
    .map((run) => cache.find(run))
    .map((listing) => `${listingName(listing)}, ${runTitle(listing, cache)}`);
  return runs.length === 1 ? `Dashboard: ${names[0]}` : `Compare: ${names.join('; ')}`;
}
