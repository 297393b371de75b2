import fs from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { UserError } from '../errors';
import { packageRoot } from '../paths';
import { killTree } from '../processes';
import type {
  Address,
  HostControl,
  HostMethod,
  HostParams,
  HostResult,
  JobProgress,
  Status,
} from '../protocol/control';
import { addressFile, readAddress } from '../protocol/host-folder';
import { remove } from '../writing';
import type { ClientState, Crash, Host, Listeners, RequestOptions } from './api';
import { hostEndedError, within } from './failures';
import { type EventCursor, type Follower, followHost } from './follow';
import { diedOfMemory, logTail } from './launch';
import type { HostLink, Identity } from './link';
import { elsewhere, isAlive, type Reach, reachHost, StartFailure, startHost, waitForExit } from './reach';
import { nextRestart } from './restarts';

export interface HostClientOptions {
  /** The `.distillery` folder. */
  folder: string;
  /**
   * The client's name, for the host's log, and its version of Distillery: an idle host of another version is replaced.
   */
  client: Identity;
  /** The Node to run a host with, from the user's setting at that time. Empty: searched for. */
  node?: () => string;
  /** The host's bundle (default: that of this package). */
  program?: string;
  /** Further arguments of the host. */
  args?: readonly string[];
  /** Connect automatically to a host that another program starts. */
  watch?: boolean;
  /** Restart a crashed host automatically (never its run), within the limits of `nextRestart`. */
  restart?: boolean;
  times?: Partial<typeof usualTimes>;
}

/** Milliseconds. */
export const usualTimes = {
  /** Time for a host to start: it loads tfjs and kernels, perhaps on a busy machine. */
  start: 120_000,
  /** Timeout of answers that do not need the engine. */
  answer: 30_000,
  /** How long the host delays an answer when nothing happens: its heartbeat. */
  beat: 5_000,
  /**
   * Silence beyond a heartbeat after which the host counts as lost. Its server has its own thread, so training does not
   * block it.
   */
  maxSilence: 30_000,
  /** Interval of looking for a host that another program started. */
  watch: 2_000,
  /** Delay before the first of several restarts. */
  restart: 250,
  /** Time for a process to exit after its connection has closed. */
  death: 5_000,
};

/** A training host, found or started, and followed. Its methods are documented in `Host`. */
export class HostClient implements Host {
  readonly folder: string;
  private current: ClientState = 'absent';
  private link?: HostLink;
  private cursor?: EventCursor;
  /** The host whose connection broke, until it is found again or its end is known. */
  private silentHost?: Address;
  private attaching?: Promise<boolean>;
  private connecting?: Promise<void>;
  private restarts: readonly number[] = [];
  private restartTimer?: NodeJS.Timeout;
  private readonly watcher?: NodeJS.Timeout;
  private readonly times: typeof usualTimes;
  private readonly reach: Reach;
  private killing = false;
  private disposed = false;
  private readonly listeners: { [K in keyof Listeners]: Set<Listeners[K]> } = {
    state: new Set(),
    event: new Set(),
    snapshot: new Set(),
    crash: new Set(),
  };
  status: Status | undefined;

  constructor(private readonly options: HostClientOptions) {
    const {
      folder,
      client,
      node = () => '',
      program = join(packageRoot(), 'dist', 'host.js'),
      args = [],
      watch,
    } = options;
    this.folder = resolve(folder);
    this.times = { ...usualTimes, ...options.times };
    this.reach = { folder: this.folder, client, node, program, args, times: this.times };
    if (watch) this.watcher = setInterval(() => this.poll(), this.times.watch).unref();
  }

  get state(): ClientState {
    return this.current;
  }

  on<K extends keyof Listeners>(kind: K, listener: Listeners[K]): () => void {
    this.listeners[kind].add(listener);
    return () => this.listeners[kind].delete(listener);
  }

  attach(): Promise<boolean> {
    if (this.link) return Promise.resolve(true);
    this.attaching ??= reachHost(this.reach, false)
      .then((link) => (link ? this.take(link) : this.reportLostHost()))
      .finally(() => {
        this.attaching = undefined;
      });
    return this.attaching;
  }

  /** Connects to the host and starts it if necessary. Concurrent calls share one attempt. */
  connect(): Promise<void> {
    if (this.link) return Promise.resolve();
    this.connecting ??= this.findOrStart().finally(() => {
      this.connecting = undefined;
    });
    return this.connecting;
  }

  async request<M extends Exclude<HostMethod, HostControl>>(
    method: M,
    params: HostParams<M>,
    options?: RequestOptions<JobProgress<M>>,
  ): Promise<HostResult<M>> {
    await this.connect();
    if (!this.link) throw hostEndedError(method);
    return this.link.request(method, params, options);
  }

  async control(verb: HostControl): Promise<HostResult<HostControl> | undefined> {
    if (!this.link && !(await this.attach())) return undefined;
    const late = new AbortController();
    try {
      return await (this.link && within(this.times.answer, this.link.request(verb, {}, late), verb));
    } catch (error) {
      late.abort(); // a request that was reported as failed must not be carried out later
      throw error;
    }
  }

  async shutdown(options: HostParams<'shutdown'> = {}): Promise<boolean> {
    if (!this.link && !(await this.attach())) return true;
    return (await within(this.times.answer, this.link!.request('shutdown', options), 'shutdown')).ending;
  }

  async kill(): Promise<void> {
    const address = this.link?.address ?? readAddress(this.folder);
    if (!address || !isAlive(this.folder, address)) return;
    if (address.machine !== hostname()) throw elsewhere(this.folder, address);
    this.killing = true;
    try {
      killTree(address.pid);
      if (!(await waitForExit(this.folder, address, this.times.death)))
        throw new UserError(`process ${address.pid} does not end`, { code: 'host', remedy: 'End it by hand.' });
      // This closes its connection; the host.json that it leaves behind marks a crash.
      if (readAddress(this.folder)?.session === address.session) remove(this.folder, addressFile(this.folder));
      if (this.link) await this.link.closed;
      else this.reportLostHost();
    } finally {
      this.killing = false;
    }
  }

  dispose(): void {
    this.disposed = true;
    clearInterval(this.watcher);
    clearTimeout(this.restartTimer);
    this.link?.close();
    for (const listeners of Object.values(this.listeners)) listeners.clear();
  }

  private poll(): void {
    if (this.link || this.connecting || (!this.silentHost && !fs.existsSync(addressFile(this.folder)))) return;
    this.attach().catch(() => {}); // a host of another version or on another machine is reported when something is
    // requested
  }

  private async findOrStart(): Promise<void> {
    clearTimeout(this.restartTimer);
    await this.attaching?.catch(() => {});
    if (this.link) return;
    const found = await reachHost(this.reach, true);
    if (found && (await this.take(found))) return;
    this.reportLostHost();
    this.move('starting');
    try {
      await this.take(await startHost(this.reach));
    } catch (error) {
      if (error instanceof StartFailure) this.crashed({ reason: error.message, cause: error.kind, log: error.log });
      else this.move('absent');
      throw error;
    }
  }

  /** Adopts a link and follows the host until it closes. Resolves when the host's state is known. */
  private async take(link: HostLink): Promise<boolean> {
    if (this.disposed || this.link) {
      link.close();
      return this.link !== undefined;
    }
    this.link = link;
    this.silentHost = undefined;
    const follower: Follower = {
      cursor: this.cursor,
      status: this.status,
      onAnswer: () => {
        if (this.current === 'lost' && this.status) this.move(this.status.state);
      },
      onSilence: () => this.move('lost'),
      onSnapshot: (status) => {
        this.status = status;
        this.move(status.state);
        this.emit('snapshot', status);
      },
      onEvent: (event) => {
        this.status = follower.status;
        if (event.type === 'state') this.move(event.state);
        this.emit('event', event);
      },
    };
    const answered = new Promise<void>((resolve) => {
      const { onAnswer } = follower;
      follower.onAnswer = () => {
        onAnswer();
        // After the snapshot or the events of the answer.
        setImmediate(resolve);
      };
    });
    const over = followHost(link, follower, this.times).then(() => {
      this.cursor = follower.cursor;
      return this.over(link);
    });
    await Promise.race([answered, over]);
    return this.link === link;
  }

  /** The link has closed: finds out whether the host ended, crashed, or only dropped the connection. */
  private async over(link: HostLink): Promise<void> {
    this.link = undefined;
    if (this.disposed) return;
    const { address } = link;
    this.silentHost = address;
    if (!this.ended(address) && !(await waitForExit(this.folder, address, this.times.death)) && !this.ended(address)) {
      // It is alive and not shutting down: only the connection broke.
      await this.attach().catch(() => this.move('lost'));
      return;
    }
    this.reportLostHost();
  }

  private ended({ session }: Address): boolean {
    return readAddress(this.folder)?.session !== session;
  }

  /** There is no host: reports how the one with the broken connection ended. */
  private reportLostHost(): false {
    const { silentHost: address } = this;
    this.silentHost = undefined;
    if (!address || this.disposed || this.link) return false;
    const { run } = this.status ?? {};
    this.status = undefined;
    if (this.ended(address) || this.killing) this.move('absent');
    else {
      const log = logTail(this.folder);
      const memory = diedOfMemory(log);
      const reason = memory
        ? 'the training host ran out of memory'
        : `the training host (process ${address.pid}) ended unexpectedly; the system or a user may have killed it`;
      this.crashed({ reason, cause: memory ? 'memory' : 'unknown', run: run?.folder, log });
    }
    return false;
  }

  private crashed(crash: Crash): void {
    this.move('crashed');
    const wanted = this.options.restart && crash.cause === 'unknown' && !this.disposed;
    const again = wanted ? nextRestart(this.restarts, performance.now(), this.times.restart) : undefined;
    if (again) {
      this.restarts = again.times;
      this.restartTimer = setTimeout(() => this.connect().catch(() => {}), again.delayMs);
    }
    this.emit('crash', { ...crash, restartInMs: again?.delayMs });
  }

  private move(to: ClientState): void {
    const before = this.current;
    this.current = to;
    if (before !== to) this.emit('state', to, before);
  }

  private emit<K extends keyof Listeners>(kind: K, ...args: Parameters<Listeners[K]>): void {
    for (const listener of [...this.listeners[kind]])
      (listener as (...args: Parameters<Listeners[K]>) => void)(...args);
  }
}
