import type { ClientState, Crash, Host } from '../../client/api';
import type { HostEvent } from '../../protocol/control';
import { ProgressMeter, type RunProgress } from '../shared/progress';
import * as vscode from '../vscode';
import { distilleryOf, hasLeft, pathsOf } from '../workspace/run-paths';
import { requireTrust } from '../workspace/trust';

export type HostMessage = { host: Host } & (
  | { kind: 'state'; state: ClientState; before: ClientState }
  | { kind: 'event'; event: HostEvent }
  | { kind: 'snapshot' }
  | { kind: 'crash'; crash: Crash }
);

/** The training hosts of the workspace: one per `.distillery` folder, created on first use. */
export class Hosts implements vscode.Disposable {
  private readonly messages = new vscode.EventEmitter<HostMessage>();
  /** All events of all hosts, in order. */
  readonly onDidReceive = this.messages.event;
  private readonly progressed = new vscode.EventEmitter<string>();
  /** A run made progress; the event has its folder. At most about once a second per run. */
  readonly onDidProgress = this.progressed.event;
  private readonly hosts = new Map<string, Host>();
  private readonly meters = new Map<string, { meter: ProgressMeter; shown: number }>();

  private readonly folders = vscode.workspace.onDidChangeWorkspaceFolders(({ removed }) =>
    this.leave(pathsOf(removed)),
  );

  /** `home`: a folder for work when no folder is open. */
  constructor(
    private readonly open: (folder: string) => Host,
    private readonly home: string,
  ) {}

  /**
   * The host of a run, a checkpoint or an experiment: by the `.distillery` folder around it, else the one beside it,
   * else a folder of the workspace. @throws UserError in Restricted Mode, as a host runs what the workspace configures
   */
  of(path: string): Host {
    requireTrust();
    const folder = distilleryOf(path, rootsNow(), this.home);
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

  /** The hosts that work on a run. */
  busy(): Host[] {
    return this.all().filter(({ state }) => ['running', 'pausing', 'paused', 'stopping'].includes(state));
  }

  /** The host that works on this run. */
  running(run: string): Host | undefined {
    return this.busy().find(({ status }) => status?.run?.folder === run);
  }

  progress(run: string): RunProgress | undefined {
    return this.running(run) && this.meters.get(run)?.meter.current;
  }

  dispose(): void {
    this.folders.dispose();
    for (const host of this.hosts.values()) host.dispose();
    this.messages.dispose();
    this.progressed.dispose();
  }

  /** Disconnects from hosts of folders that left the workspace; those hosts keep running. */
  private leave(removed: readonly string[]): void {
    const roots = rootsNow();
    for (const [folder, host] of this.hosts) {
      if (!hasLeft(folder, removed, roots)) continue;
      const before = host.state;
      this.hosts.delete(folder);
      host.dispose();
      this.messages.fire({ host, kind: 'state', state: 'absent', before });
    }
  }

  private listen(host: Host): void {
    host.on('state', (state, before) => {
      const run = host.status?.run?.folder;
      if (run) this.meter(run).meter.pause(state === 'paused');
      this.messages.fire({ host, kind: 'state', state, before });
    });
    host.on('crash', (crash) => this.messages.fire({ host, kind: 'crash', crash }));
    host.on('snapshot', (status) => {
      if (status.run) {
        this.meter(status.run.folder).meter.snapshot(status);
        this.progressed.fire(status.run.folder);
      }
      this.messages.fire({ host, kind: 'snapshot' });
    });
    host.on('event', (event) => {
      if (event.type === 'curriculum') this.advance(event);
      this.messages.fire({ host, kind: 'event', event });
    });
  }

  private advance(event: Extract<HostEvent, { type: 'curriculum' }>): void {
    const followed = this.meter(event.run);
    followed.meter.apply(event);
    if (event.event.type === 'update' && performance.now() - followed.shown < 1000) return;
    followed.shown = performance.now();
    this.progressed.fire(event.run);
  }

  private meter(run: string): { meter: ProgressMeter; shown: number } {
    const known = this.meters.get(run);
    if (known) return known;
    const made = { meter: new ProgressMeter(), shown: Number.NEGATIVE_INFINITY };
    this.meters.set(run, made);
    return made;
  }
}

const rootsNow = () => pathsOf(vscode.workspace.workspaceFolders);
