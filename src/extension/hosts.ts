import { dirname, join, sep } from 'node:path';
import * as vscode from 'vscode';
import type { ClientState, Crash, Host } from '../client/api';
import { UserError } from '../errors';
import type { HostEvent } from '../protocol/control';
import { type Progress, ProgressMeter } from './progress';

/** Something that a host says, with the host that says it. */
export type Told = { host: Host } & (
  | { kind: 'state'; state: ClientState; before: ClientState }
  | { kind: 'event'; event: HostEvent }
  | { kind: 'snapshot' }
  | { kind: 'crash'; crash: Crash }
);

/** The training hosts of the workspace: one for each `.distillery` folder, made known when it is first asked for. */
export class Hosts implements vscode.Disposable {
  private readonly told = new vscode.EventEmitter<Told>();
  /** Everything that hosts say, in order. */
  readonly onDidTell = this.told.event;
  private readonly progressed = new vscode.EventEmitter<string>();
  /** The progress of a run changed; tells its folder. At most about once a second for each run. */
  readonly onDidProgress = this.progressed.event;
  private readonly hosts = new Map<string, Host>();
  private readonly meters = new Map<string, { meter: ProgressMeter; shown: number }>();

  constructor(private readonly open: (folder: string) => Host) {}

  /**
   * The host that works for a run, a checkpoint or an experiment: of the `.distillery` folder that it lies in, else of the one beside
   * it. Throws in Restricted Mode: what a host runs is the workspace's.
   */
  of(path: string): Host {
    if (!vscode.workspace.isTrusted)
      throw new UserError('nothing is started in Restricted Mode', {
        code: 'trust',
        remedy: 'Trust this workspace first: Workspaces: Manage Workspace Trust.',
      });
    const folder = distilleryOf(path, vscode.workspace.workspaceFolders?.map(({ uri }) => uri.fsPath) ?? []);
    const known = this.hosts.get(folder);
    if (known) return known;
    const host = this.open(folder);
    this.hosts.set(folder, host);
    this.listen(host);
    return host;
  }

  all(): Host[] {
    return [...this.hosts.values()];
  }

  /** The hosts that have a run at hand. */
  busy(): Host[] {
    return this.all().filter(({ state }) => ['running', 'pausing', 'paused', 'stopping'].includes(state));
  }

  /** The host that has this run at hand. */
  running(run: string): Host | undefined {
    return this.busy().find(({ status }) => status?.run?.folder === run);
  }

  progress(run: string): Progress | undefined {
    return this.running(run) && this.meters.get(run)?.meter.current;
  }

  dispose(): void {
    for (const host of this.hosts.values()) host.dispose();
    this.told.dispose();
    this.progressed.dispose();
  }

  private listen(host: Host): void {
    host.on('state', (state, before) => this.told.fire({ host, kind: 'state', state, before }));
    host.on('crash', (crash) => this.told.fire({ host, kind: 'crash', crash }));
    host.on('snapshot', (status) => {
      if (status.run) {
        this.meter(status.run.folder).meter.snapshot(status);
        this.progressed.fire(status.run.folder);
      }
      this.told.fire({ host, kind: 'snapshot' });
    });
    host.on('event', (event) => {
      if (event.type === 'curriculum') this.advance(event);
      this.told.fire({ host, kind: 'event', event });
    });
  }

  private advance(event: Extract<HostEvent, { type: 'curriculum' }>): void {
    const followed = this.meter(event.run);
    followed.meter.apply(event);
    if (event.event.type === 'update' && Date.now() - followed.shown < 1000) return;
    followed.shown = Date.now();
    this.progressed.fire(event.run);
  }

  private meter(run: string): { meter: ProgressMeter; shown: number } {
    const known = this.meters.get(run);
    if (known) return known;
    const made = { meter: new ProgressMeter(), shown: 0 };
    this.meters.set(run, made);
    return made;
  }
}

/** The `.distillery` folder that a path lies in, else the one beside an experiment's file, else that of the workspace's folder around it. */
export function distilleryOf(path: string, roots: readonly string[]): string {
  const part = `${sep}.distillery${sep}`;
  const at = `${path}${sep}`.indexOf(part);
  if (at >= 0) return path.slice(0, at + part.length - 1);
  if (path.endsWith('.json')) return join(dirname(path), '.distillery');
  const root = roots.find((one) => path === one || path.startsWith(`${one}${sep}`)) ?? roots[0] ?? path;
  return join(root, '.distillery');
}
