import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { HostState, Status } from '../protocol/control';
import { advance, idleStatus } from '../protocol/status';
import { log } from './faults';
import type { ToEngine, ToServer } from './messages';

/** Initial data of the server's thread. */
export interface ServerData {
  distillery: string;
  version: string;
  idleMs: number;
  graceMs: number;
  /** Port of an additional listener on 127.0.0.1; 0: any free one. */
  port?: number;
  /** The same port after a restart, so that clients find the host again. */
  session: string;
  token: string;
  /** The current state, and how often the thread was started before. */
  status: Status;
  starts: number;
}

export interface ServerThreadOptions {
  data: Pick<ServerData, 'distillery' | 'version' | 'idleMs' | 'graceMs' | 'port'>;
  receive: (message: Exclude<ToEngine, { type: 'end' | 'listening' }>) => void;
  /** The engine's current state. */
  state: () => HostState;
  /** The thread failed: clients that waited for short work are disconnected. */
  failed: () => void;
  /** It cannot be started at all. */
  end: (error: unknown) => never;
}

/** Delay before a failed thread is restarted, doubled after each short-lived one. */
const delayMs = { first: 100, most: 10_000, long: 60_000 };

/** The server's thread. When it fails it is restarted, and the engine continues its run. */
export class ServerThread {
  private worker: Worker;
  private readonly secrets = { session: randomUUID(), token: randomBytes(32).toString('hex') };
  private status = idleStatus;
  private starts = 0;
  private delay = delayMs.first;
  private started = false;
  private terminating = false;

  constructor(private readonly options: ServerThreadOptions) {
    this.worker = this.start();
  }

  post(message: ToServer): void {
    if (message.type === 'happening') this.status = advance(this.status, message.happening);
    if (message.type === 'terminate') this.terminating = true;
    this.worker.postMessage(message);
  }

  private start(): Worker {
    const { data, state } = this.options;
    const status = { ...this.status, state: state() };
    const workerData: ServerData = Object.assign({}, data, this.secrets, { status, starts: this.starts++ });
    const worker = new Worker(join(__dirname, 'host-server.js'), { workerData });
    const started = performance.now();
    let error: unknown = new Error("the server's thread has ended");
    worker.on('error', (reason) => {
      error = reason;
    });
    worker.on('exit', () => this.failed(error, performance.now() - started));
    worker.on('message', (message: ToEngine) => {
      if (message.type === 'end') process.exit(0);
      if (message.type !== 'listening') return this.options.receive(message);
      this.started = true;
      if (this.terminating) worker.postMessage({ type: 'terminate' } satisfies ToServer);
    });
    return worker;
  }

  private failed(error: unknown, livedMs: number): void {
    if (!this.started) this.options.end(error);
    log('error', `the server's thread is restarted: ${(error as Error)?.stack ?? String(error)}`);
    this.options.failed();
    if (livedMs > delayMs.long) this.delay = delayMs.first;
    setTimeout(() => {
      this.worker = this.start();
    }, this.delay);
    this.delay = Math.min(2 * this.delay, delayMs.most);
  }
}
