import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { HostState, Status } from '../protocol/control';
import { advance, restingStatus } from '../protocol/status';
import { log } from './faults';
import type { ToEngine, ToServer } from './messages';

/** What the server's thread is begun with. */
export interface ServerData {
  distillery: string;
  version: string;
  idleMs: number;
  graceMs: number;
  /** Of a further door on 127.0.0.1; 0: any that is free. */
  port?: number;
  /** The same after it was started anew: clients find the host where it was. */
  session: string;
  token: string;
  /** How things stand by now, and how often the thread was started before. */
  status: Status;
  starts: number;
}

export interface ServerThreadOptions {
  data: Pick<ServerData, 'distillery' | 'version' | 'idleMs' | 'graceMs' | 'port'>;
  receive: (message: Exclude<ToEngine, { type: 'end' | 'listening' }>) => void;
  /** What the engine is at. */
  state: () => HostState;
  /** The thread failed: whoever asked the engine for short work is not there any more. */
  failed: () => void;
  /** It cannot be started at all. */
  end: (error: unknown) => never;
}

/** How soon a thread that failed is started anew: doubled for each time that it did not live for long. */
const delayMs = { first: 100, most: 10_000, long: 60_000 };

/** The server's thread. When it fails it is started anew, and the engine goes on with its run. */
export class ServerThread {
  private worker: Worker;
  private readonly secrets = { session: randomUUID(), token: randomBytes(32).toString('hex') };
  private status = restingStatus;
  private starts = 0;
  private delay = delayMs.first;
  private begun = false;
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
    const started = Date.now();
    let error: unknown = new Error("the server's thread has ended");
    worker.on('error', (reason) => {
      error = reason;
    });
    worker.on('exit', () => this.failed(error, Date.now() - started));
    worker.on('message', (message: ToEngine) => {
      if (message.type === 'end') process.exit(0);
      if (message.type !== 'listening') return this.options.receive(message);
      this.begun = true;
      if (this.terminating) worker.postMessage({ type: 'terminate' } satisfies ToServer);
    });
    return worker;
  }

  private failed(error: unknown, livedMs: number): void {
    if (!this.begun) this.options.end(error);
    log('error', `the server's thread is started anew: ${(error as Error)?.stack ?? String(error)}`);
    this.options.failed();
    if (livedMs > delayMs.long) this.delay = delayMs.first;
    setTimeout(() => {
      this.worker = this.start();
    }, this.delay);
    this.delay = Math.min(2 * this.delay, delayMs.most);
  }
}
